/* SPDX-License-Identifier: MIT */
/* WebSocket: a request that a server has got over HTTP is taken over. */
#include "wsinside.h"
#include <errno.h>
#include <taskhttp.h>

static const char *
fieldof(void *h, const char *name)
{
	return httpfields(h, name);
}

static int
refuse(Http *h, int status)
{
	int err = status == 403 ? EACCES : EPROTO;

	if(status == 426 && (httpset(h, "Upgrade", "websocket") < 0 ||
			httpset(h, "Sec-WebSocket-Version", "13") < 0))
		return -1;
	if(status == 405 && httpset(h, "Allow", "GET") < 0)
		return -1;
	if(httperror(h, status) < 0)
		return -1;
	return ws_fail(err);
}

static int
setfields(Http *h, const Wsanswer *a)
{
	if(httpset(h, "Sec-WebSocket-Accept", a->accept) < 0)
		return -1;
	return *a->protocol ? httpset(h, "Sec-WebSocket-Protocol",
		a->protocol) : 0;
}

Ws *
wsaccept(Http *h, const Wsset *set)
{
	Wsrequest r = {.field = fieldof, .arg = h};
	Wsanswer a;

	if(h == NULL){
		errno = EINVAL;
		return NULL;
	}
	r.method = h->method;
	r.version = 10 + h->minor;
	if(wsanswer(&r, set, &a) != 101){
		refuse(h, a.status);
		return NULL;
	}
	if(setfields(h, &a) < 0)
		return NULL;
	Stream *s = httpupgrade(h, "websocket");
	if(s == NULL && errno == EPROTO)
		refuse(h, 400);
	if(s == NULL)
		return NULL;
	Ws *w = wsopen(s, 0, a.protocol, set);
	if(w)
		w->borrowed = 1;
	return w;
}
