// SPDX-License-Identifier: Apache-2.0

// Package cli has the commands of rocketmq-proxyctl, a file each.
package cli
