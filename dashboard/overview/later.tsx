/** What is looked at once nothing burns: loaded after the first picture. */
export function Later() {
  return null;
}
