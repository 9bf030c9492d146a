// The entry of the page's script.
export {};
