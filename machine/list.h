/* SPDX-License-Identifier: MIT */
/* Lists linked by fields of what is in them, and the way back from a field. */
#ifndef TASK_LIST_H
#define TASK_LIST_H

#include <stddef.h>

/* The struct of this type whose field is at. */
#define structof(type, field, at) \
	((type *)(void *)((char *)(at) - offsetof(type, field)))

/*
 * A list is a struct with a head and a tail, both NULL when it is empty.
 * before and after name the fields that link its elements, so what has two
 * pairs of such fields can be in two lists.  Macros are used for that, and so
 * that no casts are needed: elements and lists keep their types.
 */
#define listadd(list, e, before, after) \
	do{ \
		(e)->after = NULL; \
		(e)->before = (list)->tail; \
		if((list)->tail) \
			(list)->tail->after = (e); \
		else \
			(list)->head = (e); \
		(list)->tail = (e); \
	}while(0)

/* removes the first one, e. */
#define listshift(list, e, before, after) \
	do{ \
		(list)->head = (e)->after; \
		if((e)->after) \
			(e)->after->before = NULL; \
		else \
			(list)->tail = NULL; \
	}while(0)

#define listremove(list, e, before, after) \
	do{ \
		if((e)->before) \
			(e)->before->after = (e)->after; \
		else \
			(list)->head = (e)->after; \
		if((e)->after) \
			(e)->after->before = (e)->before; \
		else \
			(list)->tail = (e)->before; \
	}while(0)

#endif
