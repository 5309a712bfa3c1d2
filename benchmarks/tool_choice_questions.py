"""Tomas, an invented person: his history, and questions of four kinds about him and the world.

Written before the prompt of the choice was tried on any of it. After the first run one example was
added to the prompt, because 11 of the 24 questions about the older past were not looked up.
"""

HISTORY = [
    ("I parked my bicycle behind the bakery on Mill Street.", "Lock it to the iron rail."),
    ("My dentist moved my appointment to Thursday 9 April at 8:15.", "Noted."),
    ("Our new puppy is called Biscuit. How often should he eat?", "Three small meals a day."),
    ("I put the passport into the green tin on the top shelf.", "A dry place is good."),
    (
        "My sister Hanna works as a nurse in Rotterdam. What gift suits her?",
        "Good compression socks.",
    ),
    ("The code of the garden shed is 4471.", "Keep it private."),
    (
        "I am allergic to penicillin. What should I tell the pharmacist?",
        "Tell them before each prescription.",
    ),
    (
        "My favourite tea is lapsang souchong. What goes with it?",
        "Smoked cheese or dark chocolate.",
    ),
    ("I lent my tent to Radek in May. How do I ask for it back?", "Ask when he last used it."),
    ("Our wedding anniversary is on 3 October. Any ideas?", "Dinner where you first met."),
    ("I take size 43 in walking boots. Which width is normal?", "Width F for most men."),
    (
        "We rent a cabin near Lake Solina each July. What should we pack?",
        "Insect net, lamp, cards.",
    ),
    ("My car is a grey Skoda, number plate KR 5J772. When is the check due?", "Once a year."),
    ("My manager's name is Oyelaran. How do I congratulate her?", "A short handwritten note."),
    ("I am reading The Radetzky March. Explain its first chapter.", "It tells of Solferino."),
    ("My landlord wants the rent of 870 euros by the fifth.", "A standing order helps."),
    ("I broke my left wrist skiing in 2019. Can I climb again?", "Yes, build up slowly."),
    ("Mum's blood pressure pill is ramipril, one each morning.", "Same time each day."),
    ("I sold my cello and bought a clarinet. Which reed for a beginner?", "Strength two."),
    ("The plumber who fixed our boiler was Mr Adeyemi, 0556 210.", "Keep his card."),
    ("I want my reports in bullet points, never more than six.", "Understood."),
    (
        "My daughter Zofia starts school on 1 September. What does she need?",
        "Bag, pencils, slippers.",
    ),
    ("We planted two cherry trees and one quince. When do I prune?", "Cherries in summer."),
    ("My flight to Oslo leaves at 6:40 from gate B12.", "Be there by five."),
]
"""What Tomas wrote, and what he accepted as the answer."""

HELD = [
    "Where is my bicycle?",
    "When do I have to be at the dentist?",
    "What is the name of our dog?",
    "Where did I put the passport?",
    "What does my sister do for a living?",
    "In which city does Hanna work?",
    "What is the code of the shed?",
    "Which medicine am I allergic to?",
    "Which tea do I like best?",
    "Who has my tent?",
    "When is our anniversary?",
    "What is my size in boots?",
    "At which lake is the cabin that we rent?",
    "What is the number plate of my car?",
    "What is my manager called?",
    "Which book am I reading?",
    "How much rent do I pay?",
    "When did I break my wrist?",
    "Which pill does my mother take?",
    "Which instrument did I buy?",
    "Who repaired the boiler?",
    "When does Zofia start school?",
    "Which trees did we plant?",
    "From which gate does my flight leave?",
]
"""The answer stands in a memory of Tomas."""

WORLD = [
    "Who invented the telephone?",
    "How long is the river Vistula?",
    "What is the boiling point of ethanol?",
    "Which language do people speak in Andorra?",
    "When was the University of Bologna founded?",
    "Who composed The Magic Flute?",
    "What does a pancreas do?",
    "How many moons has Mars?",
    "Who was the first woman in space?",
    "What is the tallest building in Warsaw?",
    "Which country has the most volcanoes?",
    "When did the Ottoman Empire end?",
    "Who wrote The Master and Margarita?",
    "What is basalt made of?",
    "How fast does a peregrine falcon dive?",
    "Which metal is liquid at room temperature?",
    "Who directed the film Ida?",
    "What is the currency of Vietnam?",
    "When was penicillin discovered?",
    "How deep is Lake Baikal?",
    "What causes the northern lights?",
    "Who designed the Sydney Opera House?",
    "Where do cherry trees come from?",
    "What is the population of Rotterdam?",
]
"""Only the world knows; the last ones are about words of the memories."""

OLDER = [
    "What was the name of my first teacher?",
    "Which wallpaper did I choose for the bedroom?",
    "How much did I pay for the sofa?",
    "What did my doctor say about my knee?",
    "Where did I spend my last birthday?",
    "Which wine did I bring to Pavel's party?",
    "What was my old telephone number?",
    "Which film did I rate with five stars?",
    "When did I last change the tyres?",
    "What did I tell you about my neighbour?",
    "Which bank did I open an account with?",
    "How did I like the restaurant in Gdansk?",
    "What is my brother's job?",
    "Which vaccine did I get in spring?",
    "What was the title of the talk I gave?",
    "Where did I buy my winter coat?",
    "What did I decide about the pension plan?",
    "Which colour did I want for the kitchen?",
    "What did you suggest for my speech?",
    "Which hotel did I book in Vienna?",
    "What was my grandmother's recipe for soup?",
    "How many kilometres did I run in March?",
    "Which podcast did I say I enjoy?",
    "What did I plan for the summer of last year?",
]
"""About Tomas, and not among what he wrote: his past has to be searched."""

NEITHER = [
    "Good morning!",
    "What is 12 times 14?",
    "Translate into German: The train is late.",
    "Make this polite: Give me the keys.",
    "Thank you, that helps.",
    "Write a limerick about rain.",
    "Sort these words: pear, apple, fig.",
    "Say hello to my colleagues in one sentence.",
    "Correct this: He go to school.",
    "How many minutes are in three hours?",
    "Summarise: The shop opens at nine and closes at five.",
    "I feel tired today.",
]
"""Nothing has to be looked up."""
