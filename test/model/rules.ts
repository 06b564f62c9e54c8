/**
 * The guards of the spend protocol (docs/protocol.md), each as a switch. `SOUND` is the protocol as it is built. A reading
 * of it that is flawed turns one switch over, and `broken.ts` says which promise that breaks.
 */
export interface Rules {
  // Claim and join (W1, W1b)
  /** The attempt is on the call's record before it draws. Else the record is written with the outcome only. */
  readonly claimsFirst: boolean;
  /** A repeat of a call in flight is refused with 409. Else it uses the draw of the attempt in flight. */
  readonly refusesInFlight: boolean;
  /** Only a held draw is joined. Else one that was given back is joined too. */
  readonly joinsOnlyHeld: boolean;
  /** A joiner reads whether the chain is revoked. */
  readonly joinerReadsChain: boolean;
  /** A lack of budget is a 409 where the call itself holds budget. Else it is a 429. */
  readonly lackIsRepeatable: boolean;

  // Writes of a balance (W2, W6)
  /** A draw is named by its attempt. Else by its call. */
  readonly drawNamesAttempt: boolean;
  readonly drawsMeetFence: boolean;
  readonly backsMeetFence: boolean;
  /** The SDK repeats a draw, or a give-back, whose answer was lost. */
  readonly drawIsRepeated: boolean;
  readonly backIsRepeated: boolean;
  /** Each window has an attribute of its own. Else one attribute is filled up when a window begins. */
  readonly windowsApart: boolean;

  // Outcome (W5)
  /** A refused joiner releases the call. */
  readonly joinerReleases: boolean;
  /** A replay settles the call at nothing. */
  readonly replayIsFree: boolean;
  /** A joiner's price is counted once more where the answer is no replay, though the call was not settled. */
  readonly joinerCountsAnew: boolean;
  /** An attempt that the resolver moved to `unresolved` releases nothing that another attempt may use. */
  readonly movedReleasesAlone: boolean;
  /** An attempt that the resolver moved meanwhile reports no ambiguous draws any more. */
  readonly movedReportsNothing: boolean;
  /** An attempt that the resolver moved, and that gets a replay, pays for it with its own draw. */
  readonly movedPays: boolean;
  /** A decline ends the call. Wrong where the vendor runs failures again. */
  readonly declineEnds: boolean;
  /** A correction leaves the record only when its write was acknowledged. Else when it was sent. */
  readonly dropsOnlyAcknowledged: boolean;

  // The vendor
  readonly vendorHonoursKey: boolean;
  readonly vendorRerunsFailures: boolean;
  /** The vendor forgets a key only after every attempt that could use it is over. */
  readonly vendorForgetsLate: boolean;

  // Resolver (W8)
  /** It raises the fence before it decides. */
  readonly raisesFence: boolean;
  /** Each attempt needs a fence of its own time. Else one that covers the first attempt of the call covers all. */
  readonly fenceCoversEach: boolean;
  /** It waits until the consumer has seen the fence. */
  readonly waitsForFence: boolean;
  /** Evidence with a gap is no evidence. */
  readonly refusesGaps: boolean;
  /** Evidence begins with a write that was applied before the attempt began. Else with one that was decided before it. */
  readonly beginsAtApplied: boolean;
  /** It decides by evidence at all. Else by age. */
  readonly usesEvidence: boolean;
  /** Its write compares the version that it read. */
  readonly compares: boolean;
  /** It looks for the draws of the whole chain. Else of the leaf. */
  readonly looksAtWholeChain: boolean;
  /** A draw of any key of the chain makes the attempt known. Else only the leaf's. */
  readonly anyDrawIsKnown: boolean;
  /** An attempt with all its draws stays held. Else it is released by its age. */
  readonly holdsComplete: boolean;
  /** Of an attempt that was never sent, only what was drawn goes back. Else all of it. */
  readonly returnsOnlyDrawn: boolean;
  /** Of ambiguous draws, only those that landed go back. Else all. */
  readonly returnsOnlyLanded: boolean;
  /** An unresolved attempt goes back where another attempt pays, or the call ended. */
  readonly returnsCovered: boolean;
  /** A correction is sent again only if the evidence lacks it. */
  readonly looksForCorrection: boolean;
  /** A correction that is sent again is on the record first, under a new name. */
  readonly notesRedo: boolean;
  /** A correction that is sent again goes to the window of its draw. Else to the present one. */
  readonly redoKeepsWindow: boolean;

  // Consumer
  /** Evidence of a batch has the name of its first write. Else that of its last. */
  readonly evidenceByFirst: boolean;

  // Late prices, and verdicts from outside
  /** A run that settles a late price compares the version that it read. */
  readonly lateCompares: boolean;
  /** A verdict is refused while a retry of the call is in flight. */
  readonly verdictNeedsNoLease: boolean;
  /** Only what the vendor's books show counts. Else what they do not show yet is taken for not charged. */
  readonly absenceIsNoVerdict: boolean;
  /** An attempt is not sent after its deadline, which ends before its lease. */
  readonly keepsDeadline: boolean;
}

export const SOUND: Rules = {
  claimsFirst: true,
  refusesInFlight: true,
  joinsOnlyHeld: true,
  joinerReadsChain: true,
  lackIsRepeatable: true,
  drawNamesAttempt: true,
  drawsMeetFence: true,
  backsMeetFence: true,
  drawIsRepeated: false,
  backIsRepeated: false,
  windowsApart: true,
  joinerReleases: false,
  replayIsFree: false,
  joinerCountsAnew: false,
  movedReleasesAlone: true,
  movedReportsNothing: true,
  movedPays: true,
  declineEnds: true,
  dropsOnlyAcknowledged: true,
  vendorHonoursKey: true,
  vendorRerunsFailures: false,
  vendorForgetsLate: true,
  raisesFence: true,
  fenceCoversEach: true,
  waitsForFence: true,
  refusesGaps: true,
  beginsAtApplied: true,
  usesEvidence: true,
  compares: true,
  looksAtWholeChain: true,
  anyDrawIsKnown: true,
  holdsComplete: true,
  returnsOnlyDrawn: true,
  returnsOnlyLanded: true,
  returnsCovered: true,
  looksForCorrection: true,
  notesRedo: true,
  redoKeepsWindow: true,
  evidenceByFirst: true,
  lateCompares: true,
  verdictNeedsNoLease: true,
  absenceIsNoVerdict: true,
  keepsDeadline: true,
};
