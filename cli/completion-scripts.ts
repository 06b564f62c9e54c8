/**
 * What a shell runs when Tab is pressed: it asks this program, so that a script never has to be made again. The words after
 * `--complete` are those of the line up to the cursor; the last may be empty.
 */

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The hidden first argument of a question for completions. */
export const COMPLETE = "--complete";

const BASH = `# keybrake completion for bash
_keybrake() {
  local IFS=$'\\n'
  COMPREPLY=($(keybrake ${COMPLETE} bash "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _keybrake keybrake
`;

const ZSH = `#compdef keybrake
# keybrake completion for zsh
_keybrake() {
  local -a proposals
  proposals=("\${(@f)$(keybrake ${COMPLETE} zsh "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${proposals[1]}" ]]; then
    _describe keybrake proposals
  else
    _files
  fi
}
if [[ "\${funcstack[1]}" == _keybrake ]]; then
  _keybrake "$@"
else
  compdef _keybrake keybrake
fi
`;

const FISH = `# keybrake completion for fish
function __keybrake_complete
  set -l words (commandline -opc) (commandline -ct)
  keybrake ${COMPLETE} fish $words[2..-1] 2>/dev/null
end
complete -c keybrake -a '(__keybrake_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

export interface Proposal {
  readonly completion: string;
  readonly brief: string;
}

/** Proposals as each shell reads them, one a line: zsh and fish show what a word does. */
export function proposalLines(shell: string, proposals: readonly Proposal[]): readonly string[] {
  return proposals.map(({ completion, brief }) => {
    if (brief === "" || shell === "bash") return completion;
    return shell === "zsh" ? `${completion.replaceAll(":", "\\:")}:${brief}` : `${completion}\t${brief}`;
  });
}
