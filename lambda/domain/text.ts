/** The start of a text, cut between whole characters: half of a surrogate pair cannot be stored. */
export const cut = (text: string, lengthMax: number): string => text.slice(0, lengthMax).toWellFormed();

/** At most so many bytes of a text in UTF-8, in whole characters; what is longer ends with an ellipsis. */
export function cutBytes(text: string, bytesMax: number): string {
  if (Buffer.byteLength(text) <= bytesMax) return text;
  let kept = "";
  for (const character of text) {
    if (Buffer.byteLength(`${kept}${character}…`) > bytesMax) break;
    kept += character;
  }
  return `${kept}…`;
}
