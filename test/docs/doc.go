// SPDX-License-Identifier: Apache-2.0

// Package docs tests the commands in the docs. The first line of a fenced block says what is in it:
//
//	```sh           commands; they are run, from the repository's root and one after the other for a page
//	```sh not-run   commands for what the tests do not have; the page says "not run by CI", and they are only read
//	```console      what somebody sees: "$ command" and what it prints; read
//	```text         no commands
//	```yaml         and other languages: no commands
//
// Commands that make the repository's own targets are not run again: that their target exists is all that is looked at.
//
//	make docs-test
package docs
