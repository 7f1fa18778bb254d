// SPDX-License-Identifier: Apache-2.0

package requestlog

import (
	"bufio"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// file is a file that becomes <path>.1 when it has grown to a size, and is opened again when another process has moved it.
// A path that is no regular file, such as a pipe, or leads over a symbolic link is only written to.
type file struct {
	path string

	open *os.File // nil: not open
	to   *bufio.Writer
	size int64 // since the last try to rotate

	mu        sync.Mutex // open changes, and is read by abandon, with it held
	abandoned bool
}

// write appends a line, opening the file if need be. `kept` is false if it is lost; else the error is that of rotating.
func (f *file) write(line []byte, maxBytes int64, maxFiles int) (kept bool, err error) {
	var full error
	if f.open != nil && f.size > 0 && f.size+int64(len(line)) > maxBytes {
		full = f.rotate(maxFiles)
	}
	if err := f.append(line); err != nil {
		return false, err
	}
	return true, full
}

func (f *file) append(line []byte) error {
	if f.open == nil {
		if err := f.start(); err != nil {
			return err
		}
	}
	n, err := f.to.Write(line)
	f.size += int64(n)
	if err != nil {
		f.close()
	}
	return err
}

func (f *file) start() error {
	// Without O_NONBLOCK the open of a pipe that nobody reads would never return.
	opened, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NONBLOCK, 0o640)
	if err != nil {
		return err
	}
	info, err := opened.Stat()
	if err != nil {
		_ = opened.Close()
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.abandoned {
		_ = opened.Close()
		return os.ErrClosed
	}
	f.open, f.to, f.size = opened, bufio.NewWriterSize(opened, 64<<10), info.Size()
	return nil
}

// abandon makes writes fail at once, the one under way too. It may be called from any thread.
func (f *file) abandon() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.abandoned = true
	if f.open != nil {
		_ = f.open.SetWriteDeadline(time.Unix(1, 0)) // regular files have no deadlines, and do not block
	}
}

// rotate moves each file to the next number, and the last one out. When that fails, or the file is not one to be moved, it
// grows on, by as much again before the next try.
func (f *file) rotate(maxFiles int) error {
	if err := f.flush(); err != nil {
		return err
	}
	if !f.rotates() {
		f.size = 0
		return nil
	}
	if err := f.shift(maxFiles); err != nil {
		f.size = 0
		return err
	}
	f.close()
	return nil
}

// rotates reports whether the path still names the open file, as a regular file and not by a symbolic link.
func (f *file) rotates() bool {
	mine, err := f.open.Stat()
	if err != nil || !mine.Mode().IsRegular() {
		return false
	}
	there, err := os.Lstat(f.path)
	return err == nil && os.SameFile(mine, there)
}

func (f *file) shift(maxFiles int) error {
	if maxFiles == 1 {
		return ifThere(os.Remove(f.path))
	}
	for n := maxFiles - 1; n > 1; n-- {
		if err := ifThere(os.Rename(f.numbered(n-1), f.numbered(n))); err != nil {
			return err
		}
	}
	return ifThere(os.Rename(f.path, f.numbered(1)))
}

// ifThere drops the error of a file that is not there, since another process has moved it.
func ifThere(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

func (f *file) numbered(n int) string { return fmt.Sprintf("%s.%d", f.path, n) }

// flush writes the buffer to the file.
func (f *file) flush() error {
	if f.open == nil {
		return nil
	}
	err := f.to.Flush()
	if err != nil {
		f.close()
	}
	return err
}

// follow closes a file that is not at its path any more, so that the next line opens another.
func (f *file) follow() {
	if f.open == nil {
		return
	}
	mine, err := f.open.Stat()
	if err == nil {
		var there os.FileInfo
		if there, err = os.Stat(f.path); err == nil && os.SameFile(mine, there) {
			return
		}
	}
	f.close()
}

func (f *file) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open != nil {
		_ = f.open.Close()
		f.open = nil
	}
}
