import { type EChartsOption, init } from 'echarts';
import type { Growth } from './growth.ts';
import type { Row } from './rows.ts';

/** Charts as SVG. echarts draws them without a browser. */

const WIDTH = 960;

function draw(option: EChartsOption, height: number): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({ animation: false, backgroundColor: '#fff', ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

const unique = <Value>(values: readonly Value[]) => [...new Set(values)];

/** Requests a second of everybody in the cases that are asked of all, in the largest directory, at this many connections. */
export function throughputChart(rows: readonly Row[], connections: number): string {
  const asked = rows.filter(
    (row) => row.connections === connections && row.fault === undefined && row.figures,
  );
  const users = Math.max(...asked.map((row) => row.users));
  const shown = asked.filter((row) => row.users === users && row.members === undefined);
  const compared = shown.filter((row) =>
    shown.some((other) => other.case === row.case && other.kind === 'peer'),
  );
  const titles = unique(compared.map(({ title }) => title)).reverse();
  const contestants = unique(compared.map(({ contestant }) => contestant));
  const subtext = `${users.toLocaleString('en')} users, ${connections} connections, medians; more is better`;
  return draw(
    {
      title: { text: 'Requests per second', subtext },
      legend: { top: 60, itemGap: 24, data: contestants },
      grid: { left: 260, right: 40, top: 100, bottom: 40 },
      xAxis: { type: 'log', name: 'per s', nameLocation: 'middle', nameGap: 25 },
      yAxis: { type: 'category', data: titles },
      series: contestants.map((name) => ({
        name,
        type: 'bar',
        data: titles.map((title) => {
          const found = compared.find((row) => row.title === title && row.contestant === name);
          return found?.figures?.rate ?? null;
        }),
      })),
    },
    120 + titles.length * (contestants.length * 14 + 20),
  );
}

/** The time of a request of the service over the size of the directory or group. */
export function growthChart(growths: readonly Growth[]): string {
  const own = growths.filter(({ contestant }) => contestant === 'rollcall');
  const subtext = 'one connection, medians; flat is better';
  return draw(
    {
      title: { text: 'Milliseconds per request, by users or members', subtext },
      legend: { orient: 'vertical', left: 560, top: 60, textStyle: { fontSize: 11 } },
      grid: { left: 70, right: WIDTH - 540, top: 70, bottom: 50 },
      xAxis: { type: 'log', name: 'users or members', nameLocation: 'middle', nameGap: 30 },
      yAxis: { type: 'log', name: 'ms' },
      series: own.map(({ title, sizes }) => ({
        name: title,
        type: 'line',
        data: sizes.map(({ size, p50 }) => [size, p50]),
      })),
    },
    560,
  );
}
