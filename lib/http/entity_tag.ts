/**
 * The preconditions If-Match and If-None-Match (RFC 9110, 13.1).
 *
 *     field      := "*" | entity-tag *( "," entity-tag ), with blanks and empty elements between
 *     entity-tag := [ "W/" ] DQUOTE *etagc DQUOTE          etagc := any visible character but DQUOTE, bytes above 0x7f
 *
 * A pattern for the whole field takes quadratic time on blanks: 64 kB of them block the event loop for seconds. Here
 * each character is read once, and a field over 4,096 characters matches nothing.
 */

import { hash } from "node:crypto";

/** Characters: about a hundred tags of this service. */
export const maxFieldLength = 4_096;

/** Sticky, so that reading ends at a malformed element. */
const elements = /[ \t,]*(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,|$)/gy;

/** Returns the strong entity tag of a content (RFC 9110, 8.8.3). */
export function entityTagOf(content: string | Uint8Array): string {
  return `"${hash("sha256", content, "base64url")}"`;
}

/** Evaluates If-Match; `false` means 412. Weak tags never match (RFC 9110, 13.1.1). */
export function ifMatch(field: string, etag: string): boolean {
  return lists(field, etag, { matchesWeak: false });
}

/** Evaluates If-None-Match; `false` means 304. Weak tags match too (RFC 9110, 13.1.2). */
export function ifNoneMatch(field: string | null, etag: string): boolean {
  return field === null || !lists(field, etag, { matchesWeak: true });
}

/** Whether a field lists a strong tag or "*". @param matchesWeak whether the same tag marked as weak matches */
function lists(field: string, etag: string, { matchesWeak }: { matchesWeak: boolean }): boolean {
  if (field.length > maxFieldLength) return false;
  if (field.trim() === "*") return true;
  return field.matchAll(elements).some(([, weak, tag]) => tag === etag && (matchesWeak || weak === undefined));
}
