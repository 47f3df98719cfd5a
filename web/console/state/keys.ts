// The keys of the whole window. A key is left alone while somebody types, and while a window is open over the console.
import { cases } from './cases.svelte'
import { desk, UNACKNOWLEDGED } from './desk.svelte'
import { goHome, toggleLasso } from './commands'
import { editing } from './editing.svelte'
import { JUNCTION, SIGNALS } from './junctions.svelte'
import { SERVICE } from './plans.svelte'
import { picking } from './picking.svelte'
import { preview } from './preview.svelte'
import { ROADS } from './rounds.svelte'
import { selection } from './selection.svelte'
import { session } from './session.svelte'
import { sheet } from './sheet.svelte'
import { shell } from './shell.svelte'
import { NEW, view } from './view.svelte'

function types(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
}

const KEYS: Record<string, () => void> = {
  '?': () => (shell.keys = true),
  j: () => step(1),
  k: () => step(-1),
  a: acknowledge,
  l: toggleLasso,
  v: () => selection.chooseView(),
  i: () => view.openPage(view.page === 'cases' ? 'map' : 'cases'),
  n: () => view.page === 'cases' && cases.mayOpen && view.openCase(NEW),
  t: () => view.openPage(view.page === 'table' ? 'map' : 'table'),
  o: () => view.openPage(view.page === 'orders' ? 'map' : 'orders'),
  g: () => session.may('journal') && view.openPage(view.page === 'journal' ? 'map' : 'journal'),
  p: () => session.may('see', SERVICE) && view.openPage(view.page === 'programmes' ? 'map' : 'programmes'),
  d: () => session.may('see', SERVICE) && view.openPage(view.page === 'demand' ? 'map' : 'demand'),
  w: () => session.may('see', SERVICE) && view.openPage(view.page === 'gateways' ? 'map' : 'gateways'),
  c: () => session.may('see', SERVICE) && view.openPage(view.page === 'compliance' ? 'map' : 'compliance'),
  m: () => session.may('see', SERVICE) && view.openPage(view.page === 'maintenance' ? 'map' : 'maintenance'),
  e: () => session.may('see', SERVICE) && view.openPage(view.page === 'energy' ? 'map' : 'energy'),
  s: () => session.may('see', SIGNALS) && junctions(),
  r: () => session.may('see', ROADS) && view.openPage(view.page === 'rounds' ? 'map' : 'rounds'),
  b: () => session.may('see', ROADS) && view.openPage(view.page === 'works' ? 'map' : 'works'),
  h: goHome,
}

/** Through the rows of the page of cases while it is open, else through the desk. */
function step(by: 1 | -1): void {
  if (view.page === 'cases' && cases.stepper) cases.stepper(by)
  else desk.step(by)
}

/** The page of the junction whose sheet is open, else of all of them; back to the map from there. */
function junctions(): void {
  const open = view.front === 'asset' && sheet.asset?.kind === JUNCTION ? sheet.asset.id : null
  if (view.page === 'junctions' && (open === null || view.junction === open)) view.openPage('map')
  else if (open !== null) view.openJunction(open)
  else view.openPage('junctions')
}

function acknowledge(): void {
  const alarm = desk.alarms.find((each) => each.id === desk.current)
  if (alarm && UNACKNOWLEDGED.has(alarm.state)) void desk.acknowledge(alarm.id)
}

/** Steps back by one: what was opened last is closed first. */
function back(): void {
  if (preview.on) preview.stop()
  else if (shell.legend) shell.legend = false
  else if (selection.tool !== 'none') {
    editing.stop()
    selection.tool = 'none'
  } else if (view.front === 'selection') selection.clear()
  else if (view.front === 'order') view.openOrder(null)
  else if (view.front === 'case') view.openCase(null)
  else if (view.front === 'asset') view.openAsset(null)
  else if (view.page === 'gateways' && view.gateway) view.openGateway(null)
  else if (view.page === 'junctions' && view.junction) view.openJunction(null)
  else if (view.page === 'junctions' && view.corridor !== null) view.openCorridor(null)
  else if (view.page === 'rounds' && view.round) view.openRound(null)
  else if (view.page === 'works' && view.permit) view.openPermit(null)
  else if (view.page === 'settings' && view.setting) view.openSetting(view.settings, null)
  else if (view.page === 'energy' && view.basis) view.openBasis(null)
  else if (view.page === 'energy' && view.area) view.openEnergy(view.month, null)
  else if (view.page === 'cases' && cases.chosen.size) cases.chosen = new Set()
  else if (view.page !== 'map') view.openPage('map')
  else desk.current = null
}

export function onKey(event: KeyboardEvent): void {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
    event.preventDefault()
    shell.palette = !shell.palette
    return
  }
  if (document.querySelector('dialog[open]') || event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === 'Escape') {
    if (types(event.target)) (event.target as HTMLElement).blur()
    else back()
    return
  }
  if (types(event.target)) return
  if (event.key === 'Backspace' && selection.tool === 'corner') {
    event.preventDefault()
    picking.by?.undo?.()
    return
  }
  if (!shell.singleKeys) return
  if (event.key === 'Enter') {
    const onControl = event.target instanceof HTMLElement && /^(BUTTON|A|TR)$/.test(event.target.tagName)
    const alarm = desk.alarms.find((each) => each.id === desk.current)
    if (!onControl && alarm) view.openAsset(alarm.asset.id)
    return
  }
  const act = KEYS[event.key.toLowerCase()]
  if (!act) return
  event.preventDefault()
  act()
}
