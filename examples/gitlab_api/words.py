"""The vocabulary of an invented ferry line and the people who write its software."""

# ruff: noqa: RUF001
# Names and languages keep their own letters, also where a Latin letter looks the same.

PEOPLE = (
    "Zoë Östlund", "Łukasz Wójcik", "Aisha Okafor", "Nguyễn Thị Hà", "José Ñandú", "李明", "Фёдор Соколов",
    "Maeve Ó Brien", "Ingrid Sørensen", "Tomáš Dvořák", "Priya Raghunathan", "Kwame Mensah",
    "Élodie Lefèvre", "Hiroshi Tanaka", "Olga Nowak", "Noah Schmidt", "Beatriz Conceição", "Emre Yılmaz",
    "Sofía Álvarez", "Jan de Vries", "Θάλεια Παπαδάκη", "Rahel Tesfaye", "Mihai Ionescu", "Anneli Mäkinen",
    "Carlos Peña", "Fatima Zahra El Idrissi", "Björn Þórsson", "Grace Wanjiru", "김서연", "Dmytro Kovalenko",
    "Marta Szabó", "Liam O'Connor", "Chiara D'Angelo", "Samuel Adjei", "נועה לוי", "Viktor Müller",
    "Ana-Marija Horvat", "Pedro Guimarães", "Linh Trần", "Yusuf Demir",
)  # fmt: skip

FERRY_THINGS = (
    "Seat map", "Refund form", "Timetable export", "Boarding pass", "Vehicle deck picker", "Group booking",
    "Payment page", "Price calendar", "Waiting list", "E-mail confirmation", "Crossing search",
    "Discount code", "Checkout", "Customer account", "Passenger manifest", "Pet ticket", "Gift voucher",
    "Season ticket", "Cabin upgrade", "Luggage add-on",
)  # fmt: skip

BEACON_THINGS = (
    "Position feed", "Arrival estimate", "Tide overlay", "Berth planner", "Wind alert", "AIS receiver",
    "Fuel report", "Quay camera", "Crew roster", "Delay notice", "Radar layer", "Engine telemetry",
    "Harbour chart", "Incident log", "Departure board", "Speed limit zone",
)  # fmt: skip

TROUBLES = (
    "shows a blank page", "is off by one hour", "loses the last row", "times out", "cannot be opened",
    "counts twice", "ignores the language setting", "breaks on “ß” and “ø”", "forgets the filter",
    "answers 500", "is not reachable by keyboard", "rounds to the wrong side", "stays in a loading state",
    "sends two messages",
)  # fmt: skip

OCCASIONS = (
    "after a cancelled crossing", "on the night of a clock change", "for more than 9 passengers",
    "on Safari 17", "with a slow connection", "when the port has no timetable",
    "for guests without an account", "in right-to-left layouts", "after the session ends",
    "when two tabs are open", "for crossings past midnight", "on small screens",
)  # fmt: skip

REPORTS = (
    "Reported by the desk in Tromsø, and we can reproduce it.",
    "Steps:\n\n1. open the page\n2. press **Continue**\n3. wait\n\nExpected: a result. Seen: none.",
    "See the log:\n\n```\nValueError: could not convert string to float: '12,50 €'\n```",
    "Happens to about one customer in a hundred. 🛳️",
    "Related to the work in !17, I think. «Не воспроизводится» on staging.",
    "- [x] write a failing test\n- [ ] mend it\n- [ ] tell support",
)

EDITS = (
    "Fix", "Speed up", "Test", "Rename", "Simplify", "Translate", "Document", "Guard", "Split", "Cache",
    "Log", "Remove dead code in",
)  # fmt: skip

LABELS = (
    ("bug", "#d9534f", "Something is wrong"), ("feature", "#428bca", "Something new"), ("ux", "#a295d6", None),
    ("accessibility", "#5843ad", "Keyboard, contrast, screen readers"), ("performance", "#f0ad4e", None),
    ("backend", "#7f8c8d", None), ("frontend", "#34495e", None), ("i18n / l10n", "#44ad8e", "Languages and formats"),
    ("customer reported", "#ad4363", None), ("good first issue", "#69d100", "Small, and well described"),
    ("priority::1", "#ff0000", "This week"), ("priority::2", "#ffa500", "This month"), ("blocked", "#000000", None),
    ("Größe: klein", "#8fbc8f", "Done in a day"),
)  # fmt: skip
