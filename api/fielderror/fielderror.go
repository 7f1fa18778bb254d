// SPDX-License-Identifier: Apache-2.0

// Package fielderror says what is wrong with a config, field by field.
package fielderror

import "strings"

// FieldError is one thing wrong with a config.
type FieldError struct {
	// Path of the field, as a user writes it: addressing.per_broker.brokers[2].listener_port.
	Path string
	// Problem continues the path to a sentence, with the value and what is allowed: "is 70000; want 1 to 65535".
	Problem string
}

func (e FieldError) Error() string { return e.Path + " " + e.Problem }

// Errors is everything wrong with a config.
type Errors []FieldError

// Error gives a line for each bad field.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, field := range e {
		lines[i] = field.Error()
	}
	return strings.Join(lines, "\n")
}
