// SPDX-License-Identifier: Apache-2.0

// Package route asks name servers for the route of a topic, and says what the filter makes of it.
package route
