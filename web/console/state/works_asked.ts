// Which works are asked for, and how they are shown: all of it is in the address.
import { OCCUPANCIES, WORKS_STATES } from '@lib/works'

export const WORKS_VIEWS = ['list', 'year', 'buried'] as const
export type WorksView = (typeof WORKS_VIEWS)[number]

export interface WorksAsked {
  as: WorksView
  /** A state, '' for all that are to be reckoned with. */
  state: string
  occupancy: string
  area: string
  /** Days such as 2026-11-27, by the town's clock; '' for no bound. */
  from: string
  to: string
  late: boolean
  clashes: boolean
  /** The year of the calendar; '' for the one that it is. */
  year: string
}

export const NO_WORKS_ASKED: WorksAsked = { as: 'list', state: '', occupancy: '', area: '', from: '', to: '', late: false, clashes: false, year: '' }

const DAY = /^\d{4}-\d{2}-\d{2}$/

export function readWorksAsked(params: URLSearchParams): WorksAsked {
  const one = (name: string, of: readonly string[]): string => of.find((each) => each === params.get(name)) ?? ''
  return {
    as: WORKS_VIEWS.find((each) => each === params.get('as')) ?? 'list',
    state: one('state', WORKS_STATES),
    occupancy: one('occupancy', OCCUPANCIES),
    area: params.get('within') ?? '',
    from: DAY.exec(params.get('from') ?? '')?.[0] ?? '',
    to: DAY.exec(params.get('to') ?? '')?.[0] ?? '',
    late: params.get('late') === 'yes',
    clashes: params.get('clashes') === 'yes',
    year: /^2[01]\d\d$/.exec(params.get('year') ?? '')?.[0] ?? '',
  }
}

export function writeWorksAsked(params: URLSearchParams, asked: WorksAsked): void {
  for (const [name, value] of Object.entries(asked)) {
    if (value === NO_WORKS_ASKED[name as keyof WorksAsked]) continue
    params.set(name === 'area' ? 'within' : name, value === true ? 'yes' : String(value))
  }
}

/** How many filters are set, beside how they are shown. */
export function worksFilters({ state, occupancy, area, from, to, late, clashes }: WorksAsked): number {
  return [state, occupancy, area, from, to, late, clashes].filter(Boolean).length
}
