/**
 * Preconditions by entity tag (RFC 9110, 13.1): the fields If-Match and If-None-Match.
 *
 *     field      := "*" | entity-tag *( "," entity-tag ), with blanks and empty elements between
 *     entity-tag := [ "W/" ] DQUOTE *etagc DQUOTE          etagc := any visible character but DQUOTE, bytes above 0x7f
 *
 * `@std/http/etag` splits these fields by a pattern that takes quadratic time on blanks: 64 kB of them stop the event loop
 * for seconds. Here each character is read once, and a field longer than any client needs matches nothing.
 */

/** Longest field that is read, characters: about a hundred tags of this service. */
export const maxFieldLength = 4_096;

const separators = /[ \t,]*/y;
const entityTag = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,|$)/y;

/** Whether If-Match lets a request go on; `false` means 412. A weak tag matches nothing (RFC 9110, 13.1.1). */
export function ifMatch(field: string, etag: string): boolean {
  return lists(field, etag, { matchesWeak: false });
}

/** Whether If-None-Match lets a request go on; `false` means 304. Weak tags match too (RFC 9110, 13.1.2). */
export function ifNoneMatch(field: string | null, etag: string): boolean {
  return field === null || !lists(field, etag, { matchesWeak: true });
}

/**
 * Whether a field lists a tag, or "*". What follows a malformed element is not read.
 *
 * @param etag a strong one
 * @param matchesWeak whether the same tag marked as weak matches it as well
 */
function lists(field: string, etag: string, { matchesWeak }: { matchesWeak: boolean }): boolean {
  if (field.length > maxFieldLength) return false;
  if (field.trim() === "*") return true;
  for (let at = 0; at < field.length;) {
    separators.lastIndex = at;
    separators.test(field);
    entityTag.lastIndex = separators.lastIndex;
    const [, weak, tag] = entityTag.exec(field) ?? [];
    if (tag === undefined) return false;
    if (tag === etag && (matchesWeak || weak === undefined)) return true;
    at = entityTag.lastIndex;
  }
  return false;
}
