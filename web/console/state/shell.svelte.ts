// What of the window is open: the command palette, the help on keys, and on a phone which panel covers the map.
export type Panel = 'map' | 'desk' | 'services'

const SINGLE_KEYS = 'vigie.single-keys'

class Shell {
  palette = $state(false)
  keys = $state(false)
  legend = $state(false)
  /** Somebody wants to log out while something of theirs is not saved: they are asked. */
  leaving = $state(false)
  panel = $state<Panel>('map')
  /** Keys without Ctrl (J, K, A ...) can be switched off: dictation software types letters. */
  singleKeys = $state(true)

  constructor() {
    try {
      this.singleKeys = localStorage.getItem(SINGLE_KEYS) !== 'off'
    } catch {
      // storage refused: they stay on
    }
  }

  setSingleKeys(on: boolean): void {
    this.singleKeys = on
    try {
      localStorage.setItem(SINGLE_KEYS, on ? 'on' : 'off')
    } catch {
      // as above
    }
  }
}

export const shell = new Shell()
