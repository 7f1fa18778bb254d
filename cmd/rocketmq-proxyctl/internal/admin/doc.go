// SPDX-License-Identifier: Apache-2.0

// Package admin reads the filter's stats from Envoy's admin interface, and draws them for people.
package admin
