// SPDX-License-Identifier: Apache-2.0

package instance

import "sync"

// pool holds what configs share that need the same, as long as one of them uses it.
type pool[T any] struct {
	destroy func(T)

	mu    sync.Mutex
	items map[string]*item[T]
}

type item[T any] struct {
	value T
	users int
}

func newPool[T any](destroy func(T)) *pool[T] {
	return &pool[T]{destroy: destroy, items: make(map[string]*item[T])}
}

// acquire gives what is known by a key, made by `create` if nobody uses it yet. Each acquire needs a release.
func (p *pool[T]) acquire(key string, create func() T) T {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := p.items[key]
	if i == nil {
		i = &item[T]{value: create()}
		p.items[key] = i
	}
	i.users++
	return i.value
}

func (p *pool[T]) release(key string) {
	p.mu.Lock()
	i := p.items[key]
	i.users--
	last := i.users == 0
	if last {
		delete(p.items, key)
	}
	p.mu.Unlock()
	if last {
		p.destroy(i.value)
	}
}
