/**
 * Version of what the items of both tables look like. An older program refuses tables of a newer one, since it could
 * misread money; raise it with every change that an older program would misread.
 */
export const LAYOUT_VERSION = 5;

/** Key of the Vault item that says which layout the tables have, in its number attribute `version`. */
export const LAYOUT_KEY = { pk: "LAYOUT", sk: "LAYOUT" } as const;

/** Key of the Vault item that holds the stops in force. Whoever revokes their keys is woken by its changes. */
export const STOPS_KEY = { pk: "STOPS", sk: "ACTIVE" } as const;
