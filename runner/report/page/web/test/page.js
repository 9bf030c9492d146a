/** Gives the modules under test a document. Import it first. */
import { parseHTML } from "linkedom";

const { window, document } = parseHTML("<!doctype html><html><head></head><body></body></html>");

Object.assign(globalThis, { window, document, Node: window.Node, HTMLElement: window.HTMLElement });

export { window, document };
