// The console's own commands, as Ctrl-K offers them.
import { LANGUAGES, pair, t } from '@lib/i18n.svelte'
import { prefs } from '@lib/prefs.svelte'
import { CASE_VIEWS } from './asked'
import { cases } from './cases.svelte'
import { city } from './city.svelte'
import { editing } from './editing.svelte'
import { SIGNALS } from './junctions.svelte'
import { mapState } from './map.svelte'
import { SERVICE } from './plans.svelte'
import { ROADS } from './rounds.svelte'
import { selection } from './selection.svelte'
import { session } from './session.svelte'
import { shell } from './shell.svelte'
import { unsavedNames } from './unsaved'
import { NEW, SETTING_KINDS, view } from './view.svelte'
import { serviceWord } from './words'
import { WORKS_VIEWS } from './works_asked'

export interface ConsoleCommand {
  text: string
  icon: string
  key?: string
  run: () => void
}

/** The whole city on screen. */
export function goHome(): void {
  if (city.city) mapState.fit(city.city.bounds)
}

/** The lasso is taken up, with nothing selected yet; or put down. */
export function toggleLasso(): void {
  const drawing = selection.tool === 'lasso'
  editing.stop()
  selection.clear()
  if (!drawing) selection.tool = 'lasso'
}

/** Logs out; asks first where something is not saved. */
export function leave(): void {
  if (unsavedNames().length) shell.leaving = true
  else void session.logout()
}

export function consoleCommands(): ConsoleCommand[] {
  const commands: ConsoleCommand[] = [
    { text: t('console.do.home'), icon: 'map', key: 'H', run: goHome },
    { text: t('console.do.lasso'), icon: 'lasso', key: 'L', run: toggleLasso },
    { text: t('console.do.view'), icon: 'area', key: 'V', run: () => selection.chooseView() },
    { text: t('console.page.cases'), icon: 'cases', key: 'I', run: () => view.openPage('cases') },
    { text: t('console.page.table'), icon: 'table', key: 'T', run: () => view.openPage('table') },
    { text: t('console.page.orders'), icon: 'orders', key: 'O', run: () => view.openPage('orders') },
  ]
  if (session.may('see', SERVICE)) {
    for (const [page, key] of [['programmes', 'P'], ['demand', 'D'], ['compliance', 'C'], ['maintenance', 'M'], ['gateways', 'W'], ['energy', 'E']] as const) {
      commands.push({ text: t(`console.page.${page}`), icon: page, key, run: () => view.openPage(page) })
    }
  }
  if (session.may('see', SIGNALS)) {
    const text = t('console.page.junctions')
    commands.push({ text, icon: 'junctions', key: 'S', run: () => view.openPage('junctions') })
  }
  if (session.may('see', ROADS)) {
    commands.push({ text: t('console.page.rounds'), icon: 'rounds', key: 'R', run: () => view.openPage('rounds') })
    commands.push({ text: t('console.page.works'), icon: 'works', key: 'B', run: () => view.openPage('works') })
    for (const as of WORKS_VIEWS.slice(1)) {
      const text = pair(t('console.page.works'), t(`console.works.as.${as}`))
      commands.push({ text, icon: 'works', run: () => view.askWorks({ as }, true) })
    }
    for (const kind of SETTING_KINDS) {
      const text = pair(t('console.page.settings'), t(`console.settings.${kind}`))
      commands.push({ text, icon: 'settings', run: () => view.openSetting(kind, null) })
      if (session.may('plan', ROADS)) commands.push({ text: t(`console.settings.${kind}.new`), icon: 'plus', run: () => view.openSetting(kind, NEW) })
    }
    if (session.may('dispatch', ROADS)) commands.push({ text: t('console.works.new'), icon: 'plus', run: () => view.openPermit(NEW) })
  }
  if (session.may('journal')) {
    commands.push({ text: t('console.page.journal'), icon: 'journal', key: 'G', run: () => view.openPage('journal') })
  }
  for (const as of CASE_VIEWS) {
    const text = pair(t('console.page.cases'), t(`console.case.as.${as}`))
    commands.push({ text, icon: 'cases', run: () => view.ask({ as }, true) })
  }
  commands.push({ text: pair(t('console.page.cases'), t('console.case.late')), icon: 'clock', run: () => view.ask({ late: true }, true) })
  if (cases.mayOpen) {
    commands.push({ text: t('console.case.open'), icon: 'plus', run: () => view.openCase(NEW) })
  }
  if (session.may('inventory')) {
    commands.push({ text: t('console.inventory.create'), icon: 'plus', run: () => editing.startCreate() })
  }
  for (const service of city.services) {
    const hidden = view.hidden.has(service)
    commands.push({
      text: t(hidden ? 'console.do.show' : 'console.do.hide', { service: serviceWord(service) }),
      icon: service,
      run: () => view.toggle(service),
    })
  }
  for (const theme of ['dark', 'light', 'auto'] as const) {
    const icon = theme === 'dark' ? 'moon' : theme === 'light' ? 'sun' : 'auto'
    commands.push({
      text: pair(t('console.theme'), t(`console.theme.${theme}`)),
      icon,
      run: () => prefs.setTheme(theme),
    })
  }
  for (const language of LANGUAGES) {
    commands.push({
      text: pair(t('console.language'), t(`console.language.${language}`)),
      icon: 'citizens',
      run: () => void prefs.setLanguage(language),
    })
  }
  commands.push(
    { text: t('console.legend'), icon: 'layers', run: () => (shell.legend = true) },
    { text: t('console.keys'), icon: 'keyboard', key: '?', run: () => (shell.keys = true) },
    { text: t('console.logout'), icon: 'logout', run: leave },
  )
  return commands
}
