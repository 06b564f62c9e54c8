/** Keybrake cannot start here, for a reason the user can mend: `message` says what and how, no stack is worth printing. */
export class StartError extends Error {
  override readonly name = "StartError";
}
