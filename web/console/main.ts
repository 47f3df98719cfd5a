import '@lib/fonts.css'
import '@lib/tokens.css'
import '@lib/base.css'
import { mount } from 'svelte'
import { prefs } from '@lib/prefs.svelte'
import App from './App.svelte'
import { session } from './state/session.svelte'

const target = document.getElementById('console')
if (!target) throw new Error('the page has no place for the console')

await prefs.start()
mount(App, { target })
void session.resume()
