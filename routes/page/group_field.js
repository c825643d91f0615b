/** The groups of a user as chips, each with a button that removes it, and a field for more. */

import { translate } from "./language.js";
import { textElement } from "./template.js";

/** The groups in a text: commas, spaces and capitals are accepted, which the service refuses. */
export function groupsIn(text) {
  return text.toLowerCase().split(/[\s,;]+/).filter(Boolean);
}

/** The list `.chips` of a form, and its input `groups`. */
export class GroupField {
  #list;
  #input;
  #chips = [];

  constructor(form) {
    this.#list = form.querySelector(".chips");
    this.#input = form.elements.groups;
    this.#input.addEventListener("input", () => this.#takeTyped());
  }

  /** Those of the chips, and those that are still typed. */
  get groups() {
    return [...new Set([...this.#chips, ...groupsIn(this.#input.value)])];
  }

  set groups(groups) {
    this.#chips = groups;
    this.#input.value = "";
    this.#list.replaceChildren(...groups.map((group) => this.#chip(group)));
  }

  /** Makes chips of what has a comma or a space behind it. */
  #takeTyped() {
    const [, complete, rest] = /^(?:(.*)[\s,;])?(.*)$/s.exec(this.#input.value);
    if (complete === undefined) return;
    this.groups = [...new Set([...this.#chips, ...groupsIn(complete)])];
    this.#input.value = rest;
  }

  #chip(group) {
    const chip = textElement("li", group, "chip");
    const button = textElement("button", "×");
    button.type = "button";
    button.ariaLabel = translate("Remove {group}", { group });
    button.addEventListener("click", () => {
      const next = chip.nextElementSibling ?? chip.previousElementSibling;
      this.#chips = this.#chips.filter((other) => other !== group);
      chip.remove();
      // The button with the focus is gone.
      (next?.querySelector("button") ?? this.#input).focus();
    });
    chip.append(button);
    return chip;
  }
}
