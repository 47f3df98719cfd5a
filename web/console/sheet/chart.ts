// Drawing a history with uPlot, which is fetched only when the first sheet is opened.
import type uPlot from 'uplot'
import { clock, measure, quantity, weekday } from '@lib/format'
import { t } from '@lib/i18n.svelte'
import type { History } from '@lib/types'

/** What the post told of a point, and of which time it was asked, in seconds since 1970. */
export interface Told {
  history: History
  from: number
  to: number
  /** Whether the point is a state that holds until the next one, and not a measure. */
  steps: boolean
  /** How long one value stays true, in seconds. */
  validS: number
}

export interface Columns {
  /** Seconds since 1970. */
  at: number[]
  mean: (number | null)[]
  min: (number | null)[]
  max: (number | null)[]
  banded: boolean
}

/** Until when, in seconds since 1970, the value of a row counts: until the next one, if that comes while it is true. */
export function heldUntil({ history, to, validS }: Told, row: number): number {
  const at = history.rows[row]![0]! / 1000
  const next = history.rows[row + 1]
  const bucket = history.bucket_s
  const end = at + (bucket > 0 ? Math.max(bucket * 1.5, validS) : validS)
  return Math.min(end, next ? next[0]! / 1000 : to)
}

/** Rows as columns, with a gap wherever a value was past its time, or a bucket is missing. */
export function columnsOf(told: Told): Columns {
  const { history, steps } = told
  const banded = history.bucket_s > 0 && (history.rows[0]?.length ?? 0) >= 4
  const columns: Columns = { at: [], mean: [], min: [], max: [], banded }
  history.rows.forEach((row, index) => {
    const at = row[0]! / 1000
    const next = history.rows[index + 1]
    if (banded) push(columns, at, row[2] ?? null, row[1] ?? null, row[3] ?? null)
    else push(columns, at, row[1] ?? null, row[1] ?? null, row[1] ?? null)
    const end = banded ? at + history.bucket_s * 1.5 : heldUntil(told, index)
    if (next && next[0]! / 1000 <= end) return
    if (steps) push(columns, end, row[1] ?? null, row[1] ?? null, row[1] ?? null)
    if (next) push(columns, end + 0.001, null, null, null)
  })
  return columns
}

function push(into: Columns, at: number, mean: number | null, min: number | null, max: number | null): void {
  into.at.push(at)
  into.mean.push(mean)
  into.min.push(min)
  into.max.push(max)
}

export interface ChartOptions {
  unit: string
  /** The names of a state's values; empty for a measure. */
  choices: string[]
  low: number | null
  high: number | null
  /** A moment to be marked, in seconds since 1970, and the value that was expected there. */
  mark: number | null
  expected: number | null
}

export async function draw(host: HTMLElement, told: Told, options: ChartOptions): Promise<uPlot> {
  const [{ default: Plot }] = await Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')])
  const style = getComputedStyle(host)
  const colour = (name: string): string => style.getPropertyValue(name).trim()
  const data = columnsOf(told)
  const span = told.to - told.from
  const paths = told.steps ? Plot.paths.stepped?.({ align: 1 }) : undefined
  const shown = (value: number | null | undefined): string =>
    value === null || value === undefined
      ? '–'
      : options.choices.length
        ? (options.choices[Math.round(value)] ?? String(value))
        : quantity(value, options.unit)
  const axis: uPlot.Axis = {
    stroke: colour('--text-3'),
    font: '11px Inter',
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  }
  const band = { stroke: 'transparent', points: { show: false }, ...(paths ? { paths } : {}) }
  const series: uPlot.Series[] = [
    {},
    {
      stroke: colour('--text'),
      width: 1.5,
      points: { show: told.history.rows.length < (told.steps ? 2 : 40), size: 4, fill: colour('--text') },
      ...(paths ? { paths } : {}),
    },
  ]
  const columns: uPlot.AlignedData = data.banded
    ? [data.at, data.mean, data.max, data.min]
    : [data.at, data.mean]
  if (data.banded) series.push(band, band)
  const plot = new Plot(
    {
      width: host.clientWidth || 320,
      height: 150,
      legend: { show: false },
      padding: [8, 4, 0, 0],
      cursor: { y: false, points: { size: 6 } },
      scales: {
        // All of what was asked for: where the line ends before, nothing was heard since.
        x: { range: () => [told.from, told.to] },
        y: {
          range: (_, least, most) => {
            const min = Math.min(least, options.expected ?? least)
            const max = Math.max(most, options.expected ?? most)
            if (options.low !== null && options.high !== null) return [options.low, options.high]
            if (options.choices.length) return [-0.3, options.choices.length - 0.7]
            const room = (max - min || Math.abs(max) || 1) * 0.1
            return [min >= 0 && min - room < 0 ? 0 : min - room, max + room]
          },
        },
      },
      axes: [
        {
          ...axis,
          size: 24,
          space: 56,
          values: (_, ticks) => ticks.map((at) => (span > 200_000 ? weekday(at * 1000) : clock(at * 1000))),
        },
        {
          ...axis,
          size: options.choices.length ? stateWidth(options.choices) : 44,
          ...(options.choices.length ? { splits: options.choices.map((_, index) => index) } : {}),
          values: (_, ticks) => ticks.map((value) => (options.choices.length ? shown(value) : measure(value))),
        },
      ],
      series,
      ...(data.banded ? { bands: [{ series: [2, 3] as [number, number], fill: `${colour('--text-3')}55` }] } : {}),
      hooks: {
        setCursor: [(self: uPlot) => tell(self, data, shown)],
        draw: [(self: uPlot) => marks(self, options, colour)],
      },
    },
    columns,
    host,
  )
  return plot
}

/** Room for the longest name of a state, in px, as far as a sheet can spare it. */
function stateWidth(choices: readonly string[]): number {
  return Math.min(132, 18 + 5.8 * Math.max(...choices.map((each) => each.length)))
}

/** The moment as a line with a flag at its top; what was expected as a dashed line, with its word. */
function marks(plot: uPlot, { mark, expected }: ChartOptions, colour: (name: string) => string): void {
  const { ctx: ink, bbox } = plot
  const ratio = devicePixelRatio
  ink.save()
  ink.lineWidth = ratio
  if (expected !== null) {
    const y = plot.valToPos(expected, 'y', true)
    ink.strokeStyle = ink.fillStyle = colour('--text-2')
    ink.setLineDash([4 * ratio, 3 * ratio])
    line(ink, bbox.left, y, bbox.left + bbox.width, y)
    ink.setLineDash([])
    ink.font = `${11 * ratio}px Inter`
    ink.textAlign = 'right'
    // Over the line, or below it where it runs along the top.
    const beside = y - bbox.top < 16 * ratio ? 12 : -4
    ink.fillText(t('console.history.expected'), bbox.left + bbox.width - 2 * ratio, y + beside * ratio)
  }
  if (mark !== null) {
    const x = plot.valToPos(mark, 'x', true)
    ink.strokeStyle = ink.fillStyle = colour('--text')
    line(ink, x, bbox.top, x, bbox.top + bbox.height)
    ink.beginPath()
    ink.moveTo(x, bbox.top)
    ink.lineTo(x - 8 * ratio, bbox.top + 4 * ratio)
    ink.lineTo(x, bbox.top + 8 * ratio)
    ink.fill()
  }
  ink.restore()
}

function line(ink: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  ink.beginPath()
  ink.moveTo(x0, y0)
  ink.lineTo(x1, y1)
  ink.stroke()
}

/** The value under the pointer, beside it. */
function tell(plot: uPlot, data: Columns, shown: (value: number | null | undefined) => string): void {
  let tip = plot.over.querySelector<HTMLElement>('.tip')
  if (!tip) {
    tip = document.createElement('div')
    tip.className = 'tip'
    plot.over.append(tip)
  }
  const index = plot.cursor.idx
  const left = plot.cursor.left ?? -1
  tip.hidden = index === null || index === undefined || left < 0
  if (tip.hidden || index === null || index === undefined) return
  const at = data.at[index]! * 1000
  const [mean, min, max] = [data.mean[index], data.min[index], data.max[index]]
  const range = data.banded && min !== max ? ` (${shown(min)} – ${shown(max)})` : ''
  tip.textContent = `${weekday(at)} ${clock(at)} · ${shown(mean)}${range}`
  tip.style.left = `${Math.min(Math.max(0, left - tip.offsetWidth / 2), plot.over.clientWidth - tip.offsetWidth)}px`
}
