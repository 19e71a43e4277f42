#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Makes tests/crontable.h: what python3-croniter says comes next, for 200 specs and
# instants.  Run it by hand:
#
#	tests/crontable.py >tests/crontable.h
#
# Around a change of the clock croniter errs at times (in spring it calls what is due at
# 3:00 at 4:00).  So each row is also held against the rule of man/cron.3, minute by
# minute; those that differ are left out, and told on stderr.
import random
import sys
from datetime import datetime, timezone

import pytz
from croniter import croniter

ROWS = 40  # for each zone
ZONES = ['UTC', 'Asia/Kolkata', 'Europe/Berlin', 'America/New_York',
         'Australia/Lord_Howe']
# Minutes before the clock changes, in UTC.
CHANGES = {
    'Europe/Berlin': ['2024-03-31 00:55', '2023-10-29 00:10', '2019-10-27 00:40'],
    'America/New_York': ['2024-03-10 06:55', '2023-11-05 05:10', '2006-04-02 06:30'],
    'Australia/Lord_Howe': ['2024-04-06 14:40', '2023-09-30 15:10', '2019-04-06 14:20'],
}
SPECS = ['0 0 29 2 *', '@yearly', '@monthly', '@weekly', '@daily', '@hourly',
         '0 12 13 * fri', '30 6 * jan-mar mon-fri', '0 0 31 * *', '*/15 9-17 * * 1-5',
         '59 23 31 12 *', '0 4 8-14 * *', '5,35 */6 * * *', '0 0 1,15 * wed']
NEAR = ['0 * * * *', '30 * * * *', '*/10 * * * *', '30 2 * * *', '15 1 * * *',
        '45 1 * * *', '0 2 * * *', '0 3 * * *', '*/20 2 * * *', '@daily',
        '*/5 1-3 * * *', '0 0-23/2 * * *', '50 * * * *', '15 2 * * sun']


def field(r, low, high, star):
    x = r.random()
    if x < star:
        return '*'
    if x < star + 0.1:
        return '*/%d' % r.randint(2, max(2, high // 2))
    items = []
    for _ in range(r.randint(1, 3)):
        a = r.randint(low, high - 1)
        b = r.randint(a + 1, high)
        items.append(r.choice([str(a), '%d-%d' % (a, b),
                               '%d-%d/%d' % (a, b, r.randint(2, 5))]))
    return ','.join(items)


def spec(r):
    days = r.choice([('*', '*'), (field(r, 1, 28, 0), '*'), ('*', field(r, 0, 6, 0)),
                     (str(r.randint(1, 28)), str(r.randint(0, 6)))])
    if '*/' in days[0] + days[1]:
        days = ('*', '*')
    return ' '.join([field(r, 0, 59, 0.2), field(r, 0, 23, 0.4), days[0],
                     field(r, 1, 12, 0.7), days[1]])


# The rule, minute by minute: a spec for some hours is for what the wall shows for the
# first time, or skips; one for all hours is for what it shows.
def ruled(text, after, zone, most):
    e = croniter(text).expanded
    sets = [set(range(60)) if '*' in s else set(s) for s in e]
    either = '*' not in e[2] and '*' not in e[4]
    every = len(sets[1] & set(range(24))) == 24

    def asked(w):
        d = datetime.fromtimestamp(w * 60, timezone.utc)
        day, weekday = d.day in sets[2], d.isoweekday() % 7 in sets[4]
        return (d.minute in sets[0] and d.hour in sets[1] and d.month in sets[3] and
                ((day or weekday) if either else (day and weekday)))

    top = None
    for minute in range(after // 60 - 1500, after // 60 + most):
        d = datetime.fromtimestamp(minute * 60, zone)
        wall = minute + int(d.utcoffset().total_seconds()) // 60
        new = range(max(top + 1, wall - 240), wall + 1) if top else [wall]
        if minute * 60 > after and any(asked(w) for w in ([wall] if every else new)):
            return minute * 60
        top = max(top or wall, wall)
    return None


def stamp(text):
    return int(datetime.fromisoformat(text + '+00:00').timestamp())


def candidates(r, name):
    for change in CHANGES.get(name, []):
        for s in NEAR:
            yield s, stamp(change) + r.randint(-1800, 1800)
    for s in SPECS:
        yield s, r.randint(stamp('2001-01-01 00:00'), stamp('2025-06-01 00:00'))
    while True:
        yield spec(r), r.randint(stamp('2001-01-01 00:00'), stamp('2025-06-01 00:00'))


def rows(r, name):
    zone, found = pytz.timezone(name), []
    for s, after in candidates(r, name):
        if s in NEAR and len(found) >= ROWS - 20 and r.random() < 0.5:
            continue
        if len(found) == ROWS:
            return found
        start = datetime.fromtimestamp(after, zone)
        there = int(croniter(s, start).get_next(float))
        rule = ruled(s, after, zone, (there - after) // 60 + 1500)
        if rule != there:
            print('%s, %s after %s: croniter says %s, the rule %s' % (
                name, s, start, datetime.fromtimestamp(there, zone),
                rule and datetime.fromtimestamp(rule, zone)), file=sys.stderr)
            continue
        found.append((s, after, there))


print('/* SPDX-License-Identifier: MIT */')
print('/* Made by crontable.py: what croniter says comes next after an instant. */')
print('static const struct\n{\n\tconst char *zone;\n\tint64_t after_s;')
print('\tint64_t next_s;\n\tconst char *spec;\n} crontable[] = {')
for number, name in enumerate(ZONES):
    for s, after, there in rows(random.Random(number), name):
        print('\t{"%s", %d, %d,\n\t\t"%s"},' % (name, after, there, s))
print('};')
