// A case as it is once what waits has been done to it: what the screen shows before the post has heard of it.
import type { Event, Item, Row, Waiting } from './types'

const BECOMES: Record<Event, string> = { start: 'started', pause: 'assigned', finish: 'done', block: 'blocked' }
const MAY: Record<string, Event[]> = {
  open: ['start', 'finish', 'block'],
  assigned: ['start', 'finish', 'block'],
  started: ['pause', 'finish', 'block'],
  blocked: ['start', 'finish'],
}

/** What a crew may do in a state. */
export function mayOf(row: Row): readonly Event[] {
  return MAY[row.state] ?? []
}

/** A case after one deed. */
export function after(item: Item, { deed }: Waiting): Item {
  const document = item.document ?? {}
  switch (deed.what) {
    case 'move': {
      const state = BECOMES[deed.event]
      return { ...item, row: { ...item.row, state, over: state === 'done', late: item.row.late && state !== 'done' } }
    }
    case 'tick': {
      const checklist = (document.checklist ?? []).map((each) => (each.what === deed.item ? { ...each, done: deed.done } : each))
      return { ...item, document: { ...document, checklist } }
    }
    case 'used': {
      const parts = (document.parts ?? []).map((each) => ({ ...each }))
      const known = parts.find((each) => each.name === deed.name)
      if (known) known.count += deed.count
      else parts.push({ name: deed.name, count: deed.count })
      return { ...item, document: { ...document, parts: parts.filter((each) => each.count > 0) } }
    }
    case 'spent':
      return { ...item, document: { ...document, spent_min: Math.max(0, (document.spent_min ?? 0) + deed.minutes) } }
    default:
      return item
  }
}

/** The cases of a day with all that waits. */
export function afterAll(items: readonly Item[], queue: readonly Waiting[]): Item[] {
  return items.map((item) => queue.filter((each) => each.case === item.row.id).reduce(after, item))
}
