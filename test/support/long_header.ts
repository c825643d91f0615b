/**
 * Long headers: what makes patterns slow, after what gets past the first look at a value.
 *
 * `test/routes/long_input_test.ts` holds the table against the code: it has every header that is read, and no other.
 */

/**
 * Longest head of a request (request line and headers), in bytes, that Deno 2.9 accepts over HTTP/1. HTTP/2: 16 KiB.
 * Deno answers a longer one with 400, and the service does not see it.
 */
export const maxHeadBytes = 64 * 1_024;

/** Every header that the code reads, and what a value begins with. */
export const headerBeginnings: Readonly<Record<string, readonly string[]>> = {
  "accept": [""],
  "accept-language": ["", "en;q="],
  "authorization": ["", "Basic ", "Bearer "],
  "content-encoding": [""],
  "content-length": [""],
  "content-type": ["", "application/json", "application/json;charset=", 'application/json;charset="'],
  "cookie": ["", "__Host-gatehouse=", "__Host-gatehouse-device="],
  "gatehouse-subrequest": [""],
  "host": [""],
  "if-match": ["", '"', 'W/"x'],
  "if-none-match": ["", '"', 'W/"x'],
  "origin": ["", "https://"],
  "referer": ["", "http://gatehouse.test/", "https://"],
  "sec-fetch-dest": [""],
  "sec-fetch-mode": [""],
  "sec-fetch-site": [""],
  "user-agent": [""],
  "x-forwarded-for": ["", "["],
  "x-forwarded-host": [""],
  "x-forwarded-method": [""],
  "x-forwarded-uri": ["/", "/?"],
};

/** What a value goes on with, again and again. Bytes as Latin-1. */
export const headerFillers = [
  " ",
  "\t",
  ",",
  ", ",
  "a,",
  ";",
  "; ",
  '"',
  '",',
  "\\",
  "A",
  "\xe9",
  "\xe9/",
  "\xe9a.",
  "%C3%A9",
  "127.0.0.1,",
  "=,",
];

/** A text of at most so many characters, made of a beginning and as many fillers as fit, and an end that is neither. */
export function fillUp(start: string, { filler, length }: { filler: string; length: number }): string {
  const room = length - start.length - 1;
  return room < 0 ? start : `${start}${filler.repeat(Math.floor(room / filler.length))}y`;
}
