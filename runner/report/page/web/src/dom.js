/**
 * Makes elements. Text becomes text nodes, so nothing that a result contains is read as markup.
 *
 * @typedef {string | number | bigint | boolean | null | undefined | Node | Child[]} Child
 * @typedef {Record<string, string | number | boolean | null | undefined | EventListener>} Attributes
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an HTML element.
 *
 * An attribute that is null, undefined or false is left out; true makes it empty. `onclick` and the like are listeners.
 * Throws on `style`, which the policy of the page forbids.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes | null} [attributes]
 * @param {...Child} children null, undefined and booleans are left out
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/**
 * Makes an SVG element, like `h`.
 *
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes | null} [attributes]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, attributes, ...children) {
  const element = /** @type {SVGElementTagNameMap[Tag]} */ (document.createElementNS(SVG, tag));
  return filled(element, attributes, children);
}

/**
 * @template {Element} Made
 * @param {Made} element
 * @param {Attributes | null | undefined} attributes
 * @param {Child[]} children
 * @returns {Made}
 */
function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) {
      if (typeof value === "function") element.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined) throw new TypeError(`${name} is not a function`);
    } else if (name === "style") throw new TypeError("style attributes are forbidden: use a class");
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  append(element, children);
  return element;
}

/**
 * @param {Element} element
 * @param {Child[]} children
 */
function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child !== null && typeof child === "object") element.append(child);
    else if (child !== null && child !== undefined && typeof child !== "boolean") element.append(String(child));
  }
}
