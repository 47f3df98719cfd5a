import '@lib/fonts.css'
import '@lib/tokens.css'
import '@lib/base.css'
import './winter.css'
import { mount } from 'svelte'
import { speakOnly } from '@lib/i18n.svelte'
import { prefs } from '@lib/prefs.svelte'
import App from './App.svelte'
import { winter } from './winter.svelte'

const target = document.getElementById('winter')
if (!target) throw new Error('the page has no place for the map')

speakOnly(['winter'])
await prefs.start()
mount(App, { target })
winter.start()
