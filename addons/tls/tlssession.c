/* SPDX-License-Identifier: MIT */
/* Sessions of a client: what it needs to resume one with a server. */
#include "tls.h"
#include <time.h>

/* Of so many, and of so many of a name, the oldest are forgotten. */
enum { SessionsMost = 256, OfNameMost = 4 };

static void
freesession(Session *s)
{
	SSL_SESSION_free(s->session);
	free(s);
}

/* takes out the session at *at. */
static Session *
takeout(Tls *t, Session **at)
{
	Session *s = *at;

	*at = s->next;
	t->nsession--;
	return s;
}

/* There is one too many of a name, or in all, at most: returns that. */
static Session *
toomany(Tls *t, const char *name)
{
	int same = 0;

	for(Session **at = &t->sessions; *at; at = &(*at)->next){
		same += strcmp((*at)->name, name) == 0;
		if(same > OfNameMost || ((*at)->next == NULL &&
				t->nsession > SessionsMost))
			return takeout(t, at);
	}
	return NULL;
}

void
tls_keep(Tls *t, const char *name, unsigned int trust, SSL_SESSION *session)
{
	size_t bytes = strlen(name) + 1;
	Session *s = malloc(sizeof *s + bytes), *old;

	if(s == NULL){
		SSL_SESSION_free(session);
		return;
	}
	s->session = session;
	s->trust = trust;
	memcpy(s->name, name, bytes);
	pthread_mutex_lock(&t->lock);
	s->next = t->sessions;
	t->sessions = s;
	t->nsession++;
	old = toomany(t, name);
	pthread_mutex_unlock(&t->lock);
	if(old)
		freesession(old);
}

static int
usable(const SSL_SESSION *s)
{
	return SSL_SESSION_is_resumable(s) && time(NULL) <
		SSL_SESSION_get_time(s) + SSL_SESSION_get_timeout(s);
}

/*
 * A ticket of TLS 1.3 is used once: who looks on could tell by it that two
 * connections are of one client.
 */
SSL_SESSION *
tls_take(Tls *t, const char *name, unsigned int trust)
{
	SSL_SESSION *found = NULL;

	pthread_mutex_lock(&t->lock);
	for(Session **at = &t->sessions; *at && found == NULL; ){
		Session *s = *at;
		if(s->trust != trust || strcmp(s->name, name) != 0){
			at = &s->next;
			continue;
		}
		if(usable(s->session)){
			found = s->session;
			SSL_SESSION_up_ref(found);
		}
		if(found && SSL_SESSION_get_protocol_version(found) <
				TLS1_3_VERSION)
			break;
		freesession(takeout(t, at));
	}
	pthread_mutex_unlock(&t->lock);
	return found;
}

void
tls_forget(Tls *t)
{
	pthread_mutex_lock(&t->lock);
	Session *s = t->sessions;
	t->sessions = NULL;
	t->nsession = 0;
	pthread_mutex_unlock(&t->lock);
	for(Session *next; s; s = next){
		next = s->next;
		freesession(s);
	}
}
