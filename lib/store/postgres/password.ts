/**
 * SASLprep (RFC 4013): the form in which SCRAM compares passwords, so that a space or a letter counts however a
 * keyboard makes it. PostgreSQL prepares the password when it is set, and the client when it connects.
 */

/** Spaces other than that of ASCII (RFC 3454, table C.1.2), which become it. */
const spaces = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;
/** What is left out (table B.1). */
const ignored = /[\u00ad\u034f\u1806\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]/g;
/** What no prepared text has (RFC 4013, 2.3): controls, private use, noncharacters, halves of pairs. */
const prohibitedKinds = /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}]/u;
/** And marks of format and of direction, and characters that describe others. */
const prohibitedMarks =
  /[\u0340\u0341\u06dd\u070f\u180e\u2028-\u202e\u2061-\u2063\u206a-\u206f\u2ff0-\u2ffb\ufff9-\ufffd]/;
/** Above U+FFFF: marks of music, and tags. */
const prohibitedTags = /[\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u;

/** The password as SCRAM takes it. One that cannot be prepared stays as it is, as in PostgreSQL. */
export function preparePassword(password: string): string {
  // deno-lint-ignore no-control-regex -- ASCII is as it is, as is an empty one.
  if (/^[\x00-\x7f]*$/.test(password)) return password;
  const prepared = password.replace(spaces, " ").replace(ignored, "").normalize("NFKC");
  return prepared === "" || isProhibited(prepared) || mixesDirections(prepared) ? password : prepared;
}

function isProhibited(text: string): boolean {
  return prohibitedKinds.test(text) || prohibitedMarks.test(text) || prohibitedTags.test(text);
}

/** RFC 3454, 6: a text from right to left begins and ends so, and has no letter from left to right. */
function mixesDirections(text: string): boolean {
  const rightToLeft = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}]/u;
  if (!rightToLeft.test(text)) return false;
  const characters = [...text];
  const edges = [characters[0] ?? "", characters.at(-1) ?? ""];
  const leftToRight = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]/u;
  return leftToRight.test(text) || !edges.every((edge) => rightToLeft.test(edge));
}
