/* SPDX-License-Identifier: MIT */
/*
 * Notes, for programs that speak JSON: api [port].
 *
 *	curl --json '{"text": "buy milk"}' localhost:8080/notes
 *	curl localhost:8080/notes
 *	curl -X PUT --json '{"text": "buy bread"}' localhost:8080/notes/1
 *	curl -X DELETE localhost:8080/notes/1
 *
 * Look at routes: a function for each thing that can be asked, and one for what
 * cannot, so that errors are JSON as well.  Look at replace: no lock is needed,
 * for nothing waits between the look at a note and its change.  And look at
 * what is bounded: each wait for a client (limit in serve.h), all of them for
 * one request (within), bodies, texts, notes, and how deep JSON may be.
 */
#include "serve.h"
#include "json.h"

enum { TextMost = 4000, NotesMost = 1000, RequestMs = 20000 };
/* jansson calls itself for each level, and goes down 2048 of them. */
enum { StackBytes = 1 << 20 };

static json_t *notes;	/* by their ids: {"1": {"id": 1, "text": ...}, ...} */
static json_int_t last;	/* id that was given */

static void
list(Http *h)
{
	json_t *all = json_array(), *note;
	const char *id;
	int r = 0;

	json_object_foreach(notes, id, note)
		r |= json_array_append(all, note);
	reply(h, r < 0 ? 500 : 200, all);
}

static void
add(Http *h)
{
	json_t *text = bodystring(h, "text", TextMost);
	char id[24], place[32];

	if(text && json_object_size(notes) == NotesMost){
		json_decref(text);
		fail(h, 507, "there are too many notes");
	}else if(text){
		snprintf(id, sizeof id, "%" JSON_INTEGER_FORMAT, ++last);
		snprintf(place, sizeof place, "/notes/%s", id);
		json_t *note = json_pack("{sIso}", "id", last, "text", text);
		int r = json_object_set(notes, id, note);
		httpset(h, "Location", place);
		reply(h, r < 0 ? 500 : 201, note);
	}
}

/* A reference of the caller's; NULL: that was answered. */
static json_t *
find(Http *h)
{
	const char *id = httpparam(h, "id");
	json_t *note = id ? json_object_get(notes, id) : NULL;

	if(note == NULL)
		fail(h, 404, "there is no such note");
	return json_incref(note);
}

static void
show(Http *h)
{
	json_t *note = find(h);

	if(note)
		reply(h, 200, note);
}

/* The text comes first: while it does the note may be deleted. */
static void
replace(Http *h)
{
	json_t *text = bodystring(h, "text", TextMost);
	json_t *note = text ? find(h) : NULL;

	if(note)
		reply(h, json_object_set(note, "text", text) < 0 ? 500 : 200,
			note);
	json_decref(text);
}

static void
drop(Http *h)
{
	json_t *note = find(h);

	if(note && json_object_del(notes, httpparam(h, "id")) == 0)
		httpreply(h, 204, NULL, NULL, 0);
	json_decref(note);
}

/* The route's arg is what could be done. */
static void
refuse(Http *h)
{
	if(h->route->arg){
		httpset(h, "Allow", h->route->arg);
		fail(h, 405, "that method is not for this");
	}else
		fail(h, 404, "there are /notes and /notes/:id");
}

/* A client could be in time with each step, and have very many of them. */
static void
within(Http *h)
{
	Timeout t;

	TIMEOUT(&t, RequestMs)
		httpnext(h);
}

static const Httproute routes[] = {
	{"GET", "/notes", list, NULL},
	{"POST", "/notes", add, NULL},
	{NULL, "/notes", refuse, "GET, HEAD, POST"},
	{"GET", "/notes/:id", show, NULL},
	{"PUT", "/notes/:id", replace, NULL},
	{"DELETE", "/notes/:id", drop, NULL},
	{NULL, "/notes/:id", refuse, "GET, HEAD, PUT, DELETE"},
	{NULL, "*", refuse, NULL},
	{NULL, NULL, NULL, NULL}
};
static void (*const before[])(Http *) = {within, NULL};

void
taskmain(int argc, char **argv)
{
	static Httpserver site = {.routes = routes, .before = before};
	static Server server = {.fn = httpserve, .arg = &site,
		.stack = StackBytes};

	notes = json_object();
	limit(&server, &site);
	serveuntilsignal(&server, argc > 1 ? argv[1] : NULL);
	json_decref(notes);
}
