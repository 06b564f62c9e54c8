/** How wide a text is on a terminal, and how it is made to fit. */

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Scripts and forms of two cells, and what is drawn as a picture (Unicode 17, UAX 11: East Asian Wide and Fullwidth). */
const WIDE =
  /^(?:[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|\p{Emoji}\ufe0f)/u;

/** Without a cell of its own: a mark on a letter that is missing. */
const NO_WIDTH = /^[\p{Mark}\p{Cf}]+$/u;

/** Control characters, and those that turn the direction of a text: what is shown must be what is there. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Joins pictures to one, and is harmless by itself. */
const JOINER = "\u200d";

const widthOfGrapheme = (grapheme: string): number => {
  if (NO_WIDTH.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
};

/** Cells that a text takes. Halfwidth Katakana counts as wide: too wide a guess only shortens a column earlier. */
export function displayWidth(text: string): number {
  // Most texts are ASCII.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += widthOfGrapheme(segment);
  return width;
}

/** The text in at most `width` cells, its end replaced by one `…` where it is longer. */
export function shortened(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = "";
  let left = width - 1;
  for (const { segment } of segmenter.segment(text)) {
    left -= widthOfGrapheme(segment);
    if (left < 0) break;
    kept += segment;
  }
  return width < 1 ? "" : `${kept}…`;
}

/** A text that others chose, with nothing in it that moves a cursor or hides. */
export const plain = (text: string): string =>
  text.replace(UNSEEN, (character) => (character === JOINER ? character : "?"));
