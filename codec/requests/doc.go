// SPDX-License-Identifier: Apache-2.0

// Package requests holds what is known of each request code of RocketMQ: one row of [Table] for each. The router, policies,
// logs, stats, tools and docs read its columns, and no other package lists codes.
//
// A new code is a row. It gets a constant if the program or a test mentions it by name, and a file in package router if
// no rule there finds its broker.
package requests
