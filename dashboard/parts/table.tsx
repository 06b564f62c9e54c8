// biome-ignore-all lint/a11y/noRedundantRoles: laid out as anything but a table, these elements lose their role in some browsers
import type { ComponentChildren, JSX } from "preact";

/**
 * Tables whose parts say what they are. On a phone their rows are laid out as cards, and some browsers tell a screen reader then that
 * there is no table.
 */

type Part<Name extends keyof JSX.IntrinsicElements> = Omit<JSX.IntrinsicElements[Name], "role" | "ref">;

export const Table = (props: Part<"table">) => <table {...props} role="table" />;

export const TableHead = ({ children }: { readonly children: ComponentChildren }) => (
  <thead role="rowgroup">{children}</thead>
);

export const TableBody = ({ children }: { readonly children: ComponentChildren }) => (
  <tbody role="rowgroup">{children}</tbody>
);

export const TableRow = (props: Part<"tr">) => <tr {...props} role="row" />;

export const ColumnHead = (props: Part<"th">) => <th {...props} scope="col" role="columnheader" />;

export const RowHead = (props: Part<"th">) => <th {...props} scope="row" role="rowheader" />;

export const Cell = (props: Part<"td">) => <td {...props} role="cell" />;
