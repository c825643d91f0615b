/** Figures of the state in words, in both languages. */
import { assertEquals } from "@std/assert";
import { formatsFor } from "../../../routes/page/status_format.js";

const second = Date.parse("2026-11-22T21:05:00Z") / 1_000;

type Formats = ReturnType<typeof formatsFor>;

const figures: readonly [name: string, write: (formats: Formats) => string, english: string, russian: string][] = [
  ["a number", ({ number }) => number(10_482), "10,482", "10 482"],
  ["three digits that count", ({ number }) => number(0.41234), "0.412", "0,412"],
  ["a time", ({ milliseconds }) => milliseconds(57.38), "57 ms", "57 мс"],
  ["times", ({ times }) => times(0.4234, 14.7), "0.42 / 15 ms", "0,42 / 15 мс"],
  ["long times", ({ times }) => times(98.4, 148.6), "98 / 149 ms", "98 / 149 мс"],
  ["no times", ({ times }) => times(null, null), "–", "–"],
  ["a small store", ({ bytes }) => bytes(5_840), "5.8 kB", "5,8 кБ"],
  ["a large store", ({ bytes }) => bytes(144_000_000), "144 MB", "144 МБ"],
  ["a young service", ({ duration }) => duration(119), "119 sec", "119 с"],
  ["minutes", ({ duration }) => duration(2 * 60), "2 min", "2 мин"],
  ["hours", ({ duration }) => duration(2 * 3_600), "2 hr", "2 ч"],
  ["an old service", ({ duration }) => duration(19 * 86_400), "19 days", "19 дн."],
  ["a day of UTC", ({ day }) => day(second), "Nov 22", "22 нояб."],
];

for (const [name, write, english, russian] of figures) {
  Deno.test(`formatsFor() writes ${name} in English and Russian`, () => {
    // Spaces that do not break, of two kinds.
    const texts = ["en-US", "ru-RU"].map((language) => write(formatsFor(language)).replaceAll(/\s/g, " "));
    assertEquals(texts, [english, russian]);
  });
}
