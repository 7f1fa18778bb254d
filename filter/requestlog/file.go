// SPDX-License-Identifier: Apache-2.0

package requestlog

import (
	"bufio"
	"fmt"
	"os"
)

// file is a file that becomes <path>.1 when it has grown to a size, and is opened anew when somebody has moved it.
type file struct {
	path string

	open *os.File // nil: not open
	to   *bufio.Writer
	size int64
}

// write appends a line, opening the file if need be. `kept` is false if it is lost; else the error is of making room.
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
	opened, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	info, err := opened.Stat()
	if err != nil {
		_ = opened.Close()
		return err
	}
	f.open, f.to, f.size = opened, bufio.NewWriterSize(opened, 64<<10), info.Size()
	return nil
}

// rotate moves each file to the next number, and the last one out. When that fails the file grows on, by as much
// again before the next try.
func (f *file) rotate(maxFiles int) error {
	if err := f.flush(); err != nil {
		return err
	}
	err := f.shift(maxFiles)
	if err != nil {
		f.size = 0
		return err
	}
	f.close()
	return nil
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

// ifThere takes a file that is not there, which somebody else has moved, for done.
func ifThere(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

func (f *file) numbered(n int) string { return fmt.Sprintf("%s.%d", f.path, n) }

// flush writes what is buffered.
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
	if f.open != nil {
		_ = f.open.Close()
		f.open = nil
	}
}
