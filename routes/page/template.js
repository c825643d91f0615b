/**
 * Elements made from the `<template>` elements of index.html, in the language of the page.
 *
 * Values are inserted as text, so that input never becomes markup.
 */

import { translate } from "./language.js";

const attributes = ["aria-label", "data-label", "value"];

/** Copies the only element of a template. @param values the texts for the names in braces */
export function fromTemplate(id, values = {}) {
  const element = document.getElementById(id).content.firstElementChild.cloneNode(true);
  translateTree(element, values);
  return element;
}

/** Translates the texts of an element, and the attributes that people read. */
export function translateTree(root, values = {}) {
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    const text = node.data.trim().replaceAll(/\s+/g, " ");
    if (text === "") continue;
    const [, before, after] = /^(\s*).*?(\s*)$/s.exec(node.data);
    node.data = before + translate(text, values) + after;
  }
  for (const element of [root, ...root.querySelectorAll("*")]) {
    for (const name of attributes.filter((name) => element.hasAttribute(name))) {
      element.setAttribute(name, translate(element.getAttribute(name), values));
    }
  }
}

/** Makes an element with a text and an optional class. */
export function textElement(tag, text, className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className !== "") element.className = className;
  return element;
}

/** Finds the element with this `name` or `data-name`. */
export function part(root, name) {
  return root.querySelector(`[name="${name}"], [data-name="${name}"]`);
}
