// SPDX-License-Identifier: Apache-2.0

package instance

import "sync"

// registry holds values that configs share, each as long as a config uses it.
type registry[T any] struct {
	destroy func(T)

	mu    sync.Mutex
	items map[string]*item[T]
}

type item[T any] struct {
	value T
	users int
}

func newRegistry[T any](destroy func(T)) *registry[T] {
	return &registry[T]{destroy: destroy, items: make(map[string]*item[T])}
}

// acquire returns the value of a key, made by create if nobody uses it yet. Each acquire needs a release.
func (r *registry[T]) acquire(key string, create func() T) T {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.items[key]
	if i == nil {
		i = &item[T]{value: create()}
		r.items[key] = i
	}
	i.users++
	return i.value
}

// release ends one use of a key; the last one destroys the value.
func (r *registry[T]) release(key string) {
	r.mu.Lock()
	i := r.items[key]
	i.users--
	last := i.users == 0
	if last {
		delete(r.items, key)
	}
	r.mu.Unlock()
	if last {
		r.destroy(i.value)
	}
}

// cleanup is a stack of functions to be called when a config ends.
type cleanup []func()

func (c *cleanup) add(f func()) { *c = append(*c, f) }

// run calls the functions, the last one first.
func (c *cleanup) run() {
	for len(*c) > 0 {
		last := len(*c) - 1
		f := (*c)[last]
		*c = (*c)[:last]
		f()
	}
}

// acquire returns the value of a key in a registry and releases it in the cleanup.
func acquire[T any](c *cleanup, r *registry[T], key string, create func() T) T {
	value := r.acquire(key, create)
	c.add(func() { r.release(key) })
	return value
}
