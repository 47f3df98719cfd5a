// Which cases are asked for, and how they are shown: all of it is in the address.

export const CASE_VIEWS = ['table', 'board', 'map', 'calendar'] as const
export type CaseView = (typeof CASE_VIEWS)[number]

export interface CasesAsked {
  as: CaseView
  sort: 'due' | 'opened'
  /** What the calendar shows, and a day in it such as 2026-11-27; '' for today. */
  span: 'week' | 'month'
  day: string
  /** A kind such as roads.report; '' for all of them. */
  kind: string
  /** A state, '' for all in which something is to be done, ALL for every one. */
  state: string
  category: string
  priority: string
  crew: string
  late: boolean
  area: string
  street: string
  number: string
}

export const ALL = 'all'

export const NOTHING_ASKED: CasesAsked = {
  as: 'table',
  sort: 'due',
  span: 'week',
  day: '',
  kind: '',
  state: '',
  category: '',
  priority: '',
  crew: '',
  late: false,
  area: '',
  street: '',
  number: '',
}

const TEXTS = ['kind', 'state', 'category', 'crew', 'street'] as const
const FORMS = { day: /^\d{4}-\d{2}-\d{2}$/, priority: /^[1-4]$/, number: /^[1-9]\d{0,8}$/ }

export function readAsked(params: URLSearchParams): CasesAsked {
  const asked = { ...NOTHING_ASKED }
  asked.as = CASE_VIEWS.find((each) => each === params.get('as')) ?? 'table'
  if (params.get('sort') === 'opened') asked.sort = 'opened'
  if (params.get('span') === 'month') asked.span = 'month'
  for (const name of TEXTS) asked[name] = params.get(name) ?? ''
  for (const [name, form] of Object.entries(FORMS)) {
    asked[name as keyof typeof FORMS] = form.exec(params.get(name) ?? '')?.[0] ?? ''
  }
  asked.area = params.get('within') ?? ''
  asked.late = params.get('late') === 'yes'
  return asked
}

export function writeAsked(params: URLSearchParams, asked: CasesAsked): void {
  for (const [name, value] of Object.entries(asked)) {
    if (value === NOTHING_ASKED[name as keyof CasesAsked]) continue
    params.set(name === 'area' ? 'within' : name, value === true ? 'yes' : String(value))
  }
}

/** How many filters are set, beside how they are shown. */
export function filters({ kind, state, category, priority, crew, late, area, street, number }: CasesAsked): number {
  return [kind, state, category, priority, crew, late, area, street, number].filter(Boolean).length
}
