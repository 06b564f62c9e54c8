import { nowS } from "./account.ts";
import type { Endpoint } from "./endpoint.ts";
import { newId } from "./ids.ts";
import { ofType } from "./others.ts";
import { hash, integer, names, refuseUnknown, required, text } from "./params.ts";
import { keep } from "./shelves.ts";

const CREATE = names("file file_link_data purpose");

export const files = ofType("file", "/v1/files");

/** Takes a file of a multipart body (multipart.ts). Its bytes are counted and forgotten. */
export const createFile: Endpoint = (account, request) => {
  const { params } = request;
  refuseUnknown(params, CREATE);
  const purpose = required(text(params, "purpose"), "purpose");
  const file = required(hash(params, "file"), "file");
  const filename = required(text(file, "filename"), "file");
  const size = required(integer(file, "size"), "file");

  return () => {
    const id = newId.of("file");
    return keep(account.others, account, request, {
      id,
      object: "file",
      created: nowS(account),
      expires_at: null,
      filename,
      links: { object: "list", data: [], has_more: false, url: `/v1/file_links?file=${id}` },
      purpose,
      size,
      title: null,
      type: /\.(\w+)$/.exec(filename)?.[1]?.toLowerCase() ?? null,
      url: `https://files.stripe.com/v1/files/${id}/contents`,
    });
  };
};
