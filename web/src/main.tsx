import { render } from 'preact'

import { App } from './app'
import { isAnswer } from './sign-in/answers'
import { Returned } from './sign-in/returned'
import './styles.css'

const answer = new URLSearchParams(location.search)
render(isAnswer(answer) ? <Returned answer={answer} /> : <App />, document.getElementById('app')!)
