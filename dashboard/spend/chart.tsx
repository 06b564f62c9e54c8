import { roughUsd, usd } from "../format/usd.ts";
import { Cell, ColumnHead, RowHead, Table, TableBody, TableHead, TableRow } from "../parts/table.tsx";
import { type Column, nameOf, type Period, roundUp } from "./periods.ts";

const WIDTH = 600;
const HEIGHT = 160;
/** Of a column's place. */
const GAP = 0.2;

interface Props {
  readonly columns: readonly Column[];
  readonly names: readonly string[];
  readonly period: Period;
}

/** Dollars by vendor, a column for each day, week or month. Who cannot see it finds the same numbers in the table. */
export function Chart({ columns, names, period }: Props) {
  const top = roundUp(Math.max(...columns.map(({ sum }) => sum), 0));
  const width = WIDTH / Math.max(1, columns.length);
  const shown = names
    .map((name, at) => ({ name, at }))
    .filter(({ at }) => columns.some(({ values }) => (values[at] ?? 0) > 0));
  return (
    <figure class="chart">
      <figcaption>
        <ul class="legend">
          {shown.map(({ name, at }) => (
            <li key={name}>
              <svg viewBox="0 0 10 10" aria-hidden="true">
                <rect class={`series-${at % 5}`} width="10" height="10" rx="2" />
              </svg>
              {name} <b>{usd(columns.reduce((all, { values }) => all + (values[at] ?? 0), 0))}</b>
            </li>
          ))}
        </ul>
        <span class="quiet">{roughUsd(top)}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <line class="grid" x2={WIDTH} y1="0.5" y2="0.5" />
        <line class="grid" x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} />
        {columns.map((column, at) => (
          <Bar
            key={column.from}
            column={column}
            x={at * width}
            width={width}
            top={top}
            names={names}
            period={period}
          />
        ))}
        <line class="axis" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
      </svg>
      <div class="ends quiet">
        <span>{columns[0] && nameOf(columns[0], period)}</span>
        <span>
          {columns.length > 1 && nameOf(columns[columns.length - 1] ?? { from: "", last: "" }, period)}
        </span>
      </div>
      <Numbers columns={columns} names={names} period={period} />
    </figure>
  );
}

function Bar({
  column,
  x,
  width,
  top,
  names,
  period,
}: Omit<Props, "columns"> & {
  readonly column: Column;
  readonly x: number;
  readonly width: number;
  readonly top: number;
}) {
  let y = HEIGHT;
  const told = column.values.flatMap((value, at) => (value > 0 ? [`${names[at]} ${usd(value)}`] : []));
  return (
    <g class="column">
      <title>{`${nameOf(column, period)}: ${told.join(", ") || "nothing"}`}</title>
      <rect class="place" x={x} width={width} height={HEIGHT} />
      {column.values.map((value, at) => {
        const height = (value / top) * HEIGHT;
        y -= height;
        return (
          <rect
            key={names[at]}
            class={`series-${at % 5}`}
            x={x + (width * GAP) / 2}
            y={y}
            width={width * (1 - GAP)}
            height={height}
          />
        );
      })}
    </g>
  );
}

function Numbers({ columns, names, period }: Props) {
  return (
    <details>
      <summary>The same in numbers</summary>
      <Table>
        <TableHead>
          <TableRow>
            <ColumnHead>{period}</ColumnHead>
            {names.map((name) => (
              <ColumnHead key={name} class="end">
                {name}
              </ColumnHead>
            ))}
            <ColumnHead class="end">Sum</ColumnHead>
          </TableRow>
        </TableHead>
        <TableBody>
          {columns.toReversed().map((column) => (
            <TableRow key={column.from}>
              <RowHead>{nameOf(column, period)}</RowHead>
              {column.values.map((value, at) => (
                <Cell key={names[at]} class="end" data-name={names[at] ?? ""}>
                  {usd(value)}
                </Cell>
              ))}
              <Cell class="end" data-name="in all">
                {usd(column.sum)}
              </Cell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </details>
  );
}
