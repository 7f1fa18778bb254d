// SPDX-License-Identifier: Apache-2.0

package requests

import "time"

// Deadlines, each a little below what clients wait (Java's MQClientAPIImpl and its callers).
const (
	sendTimeout   = 2900 * time.Millisecond
	shortTimeout  = 2500 * time.Millisecond
	offsetTimeout = 4500 * time.Millisecond
	lockTimeout   = 900 * time.Millisecond
	queryTimeout  = 15 * time.Second
	pullTimeout   = 9500 * time.Millisecond // on top of the wait
)

// Table has a row for each request code of RocketMQ 4.2.0 to 5.5.1, in ascending order. What a row leaves out has its
// column's zero value, but Fields and Broker, which then follow from Effect and Class.
var Table = []Type{
	{
		Code: 10, Name: "SEND_MESSAGE", Class: Named, Effect: ClientTraffic, Purpose: Sending, Operation: Send,
		Timeout: sendTimeout, Sends: MessageOrBatch, Envoy: EnvoyBalances, EnvoyStat: "send_message_v1",
		Addresses: Addresses{Stored: "msgId"},
	},
	{
		Code: 11, Name: "PULL_MESSAGE", Class: Named, Effect: ClientTraffic, Purpose: Consuming, Operation: Receive,
		Timeout: pullTimeout, LongPoll: whileSuspended, Answer: Messages, Addresses: Addresses{Stored: storedMessages},
	},
	{
		Code: 12, Name: "QUERY_MESSAGE", Class: AnyBroker, Effect: Reads, Purpose: Consuming,
		Timeout: queryTimeout, Broker: InTurn, Answer: Messages, Addresses: Addresses{Stored: storedMessages},
	},
	{Code: 13, Name: "QUERY_BROKER_OFFSET", Class: AddressOnly, Effect: Reads},
	{
		Code: 14, Name: "QUERY_CONSUMER_OFFSET", Class: Named, Effect: ClientTraffic, Purpose: Consuming,
		Timeout: offsetTimeout,
	},
	{
		Code: 15, Name: "UPDATE_CONSUMER_OFFSET", Class: Named, Effect: ClientTraffic, Purpose: Consuming,
		Operation: Settle, Timeout: offsetTimeout,
	},
	{Code: 17, Name: "UPDATE_AND_CREATE_TOPIC", Class: BrokerChange, Effect: Changes},
	{Code: 18, Name: "UPDATE_AND_CREATE_TOPIC_LIST", Class: BrokerChange, Effect: Changes, Body: topicListBody},
	{Code: 21, Name: "GET_ALL_TOPIC_CONFIG", Class: AddressOnly, Effect: Reads},
	{Code: 22, Name: "GET_TOPIC_CONFIG_LIST", Class: AddressOnly, Effect: Reads},
	{Code: 23, Name: "GET_TOPIC_NAME_LIST", Class: AddressOnly, Effect: Reads},
	{Code: 25, Name: "UPDATE_BROKER_CONFIG", Class: AddressOnly, Effect: Changes},
	{
		Code: 26, Name: "GET_BROKER_CONFIG", Class: AddressOnly, Effect: Reads,
		Addresses: Addresses{Data: "brokerIP1, brokerIP2, namesrvAddr, haMasterAddress, controllerAddr"},
	},
	{Code: 27, Name: "TRIGGER_DELETE_FILES", Class: AddressOnly, Effect: Changes},
	{Code: 28, Name: "GET_BROKER_RUNTIME_INFO", Class: AddressOnly, Effect: Reads},
	{
		Code: 29, Name: "SEARCH_OFFSET_BY_TIMESTAMP", Class: Named, Effect: ClientTraffic, Purpose: Consuming,
		Timeout: offsetTimeout,
	},
	{Code: 30, Name: "GET_MAX_OFFSET", Class: Named, Effect: ClientTraffic, Purpose: Consuming, Timeout: offsetTimeout},
	{Code: 31, Name: "GET_MIN_OFFSET", Class: Named, Effect: ClientTraffic, Purpose: Consuming, Timeout: offsetTimeout},
	{
		Code: 32, Name: "GET_EARLIEST_MSG_STORETIME", Class: Named, Effect: ClientTraffic, Purpose: Consuming,
		Timeout: offsetTimeout,
	},
	{
		Code: 33, Name: "VIEW_MESSAGE_BY_ID", Class: AddressOnly, Effect: Reads,
		Broker: ByMessageID, HidesTopic: true, Answer: Messages, Addresses: Addresses{Stored: storedMessages},
	},
	{
		Code: 34, Name: "HEART_BEAT", Class: Registration, Effect: ClientTraffic, Purpose: Connecting,
		Timeout: shortTimeout, Body: HeartbeatBody, Envoy: EnvoyRegisters, EnvoyStat: "heartbeat",
	},
	{
		Code: 35, Name: "UNREGISTER_CLIENT", Class: Registration, Effect: ClientTraffic, Purpose: Connecting,
		Timeout: shortTimeout, Envoy: EnvoyUnregisters, EnvoyStat: "unregister",
	},
	{
		Code: 36, Name: "CONSUMER_SEND_MSG_BACK", Class: Named, Effect: ClientTraffic, Purpose: Consuming,
		Operation: Settle, Timeout: shortTimeout, Fields: sentBackFields,
	},
	{
		Code: 37, Name: "END_TRANSACTION", Class: Named, Effect: ClientTraffic, Purpose: Sending, Operation: Settle,
		Timeout: shortTimeout, Broker: ByHalfMessage,
	},
	{
		Code: 38, Name: "GET_CONSUMER_LIST_BY_GROUP", Class: AnyBroker, Effect: ClientTraffic, Purpose: Consuming,
		Timeout: shortTimeout, Broker: ByGroup, Answer: ConsumerIDs, Envoy: EnvoyAnswersMembers,
		EnvoyStat: "get_consumer_list",
	},
	{
		Code: 39, Name: "CHECK_TRANSACTION_STATE", Class: FromBroker, Effect: ClientTraffic,
		Addresses: Addresses{Stored: "offsetMsgId, storeHost and bornHost of each message"},
	},
	{Code: 40, Name: "NOTIFY_CONSUMER_IDS_CHANGED", Class: FromBroker, Effect: ClientTraffic},
	{
		Code: 41, Name: "LOCK_BATCH_MQ", Class: Named, Effect: ClientTraffic, Purpose: Consuming,
		Timeout: lockTimeout, Body: LockBatchBody, Broker: ByQueues,
	},
	{
		Code: 42, Name: "UNLOCK_BATCH_MQ", Class: Named, Effect: ClientTraffic, Purpose: Consuming,
		Timeout: lockTimeout, Body: LockBatchBody, Broker: ByQueues,
	},
	{Code: 43, Name: "GET_ALL_CONSUMER_OFFSET", Class: Internal, Effect: Reads},
	{Code: 45, Name: "GET_ALL_DELAY_OFFSET", Class: Internal, Effect: Reads},
	{
		Code: 46, Name: "CHECK_CLIENT_CONFIG", Class: AnyBroker, Effect: ClientTraffic, Purpose: Consuming,
		Timeout: shortTimeout, Body: checkClientBody, Broker: ByTopic,
	},
	{Code: 47, Name: "GET_CLIENT_CONFIG", Class: AddressOnly, Effect: Reads},
	// Of access control 1.0, up to 5.3.2.
	{Code: 50, Name: "UPDATE_AND_CREATE_ACL_CONFIG", Class: AddressOnly, Effect: Changes, EnvoyReadsAs: PopMessage},
	{Code: 51, Name: "DELETE_ACL_CONFIG", Class: AddressOnly, Effect: Changes, EnvoyReadsAs: AckMessage},
	{
		Code: 52, Name: "GET_BROKER_CLUSTER_ACL_INFO", Class: AddressOnly, Effect: Reads,
		Addresses: Addresses{Data: "brokerAddr"},
	},
	{Code: 53, Name: "UPDATE_GLOBAL_WHITE_ADDRS_CONFIG", Class: AddressOnly, Effect: Changes},
	{
		Code: 54, Name: "GET_BROKER_CLUSTER_ACL_CONFIG", Class: AddressOnly, Effect: Reads,
		Addresses: Addresses{Data: "globalWhiteAddrs, whiteRemoteAddress"},
	},
	{Code: 60, Name: "GET_TIMER_CHECK_POINT", Class: Internal, Effect: Reads},
	{Code: 61, Name: "GET_TIMER_METRICS", Class: Internal, Effect: Reads},
	{Code: 100, Name: "PUT_KV_CONFIG", Class: NameServerChange, Effect: Changes},
	{
		Code: 101, Name: "GET_KV_CONFIG", Class: NameServer, Effect: Reads,
		Addresses: Addresses{Data: "what was put there"},
	},
	{Code: 102, Name: "DELETE_KV_CONFIG", Class: NameServerChange, Effect: Changes},
	{Code: 103, Name: "REGISTER_BROKER", Class: Internal, Effect: Changes},
	{Code: 104, Name: "UNREGISTER_BROKER", Class: Internal, Effect: Changes},
	{
		Code: 105, Name: "GET_ROUTEINFO_BY_TOPIC", Class: NameServer, Effect: ClientTraffic, Purpose: Connecting,
		Timeout: shortTimeout, Answer: TopicRouteData, Envoy: EnvoyAnswersRoute, EnvoyStat: "get_topic_route",
		Addresses: Addresses{Rewritten: "brokerDatas; filterServerTable is emptied"},
	},
	{
		Code: 106, Name: "GET_BROKER_CLUSTER_INFO", Class: NameServer, Effect: Reads,
		Timeout: shortTimeout, Answer: ClusterInfo, Addresses: Addresses{Rewritten: "brokerAddrTable"},
	},
	{
		Code: 200, Name: "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP", Class: BrokerChange, Effect: Changes,
		Body: subscriptionGroupBody,
	},
	{Code: 201, Name: "GET_ALL_SUBSCRIPTIONGROUP_CONFIG", Class: AddressOnly, Effect: Reads},
	{Code: 202, Name: "GET_TOPIC_STATS_INFO", Class: AddressOnly, Effect: Reads},
	{
		Code: 203, Name: "GET_CONSUMER_CONNECTION_LIST", Class: AddressOnly, Effect: Reads,
		Addresses: Addresses{Data: "clientAddr"},
	},
	{
		Code: 204, Name: "GET_PRODUCER_CONNECTION_LIST", Class: AddressOnly, Effect: Reads,
		Addresses: Addresses{Data: "clientAddr"},
	},
	{Code: 205, Name: "WIPE_WRITE_PERM_OF_BROKER", Class: NameServerChange, Effect: Changes},
	{Code: 206, Name: "GET_ALL_TOPIC_LIST_FROM_NAMESERVER", Class: NameServer, Effect: Reads},
	{Code: 207, Name: "DELETE_SUBSCRIPTIONGROUP", Class: BrokerChange, Effect: Changes},
	{Code: 208, Name: "GET_CONSUME_STATS", Class: AddressOnly, Effect: Reads},
	{Code: 209, Name: "SUSPEND_CONSUMER", Class: AddressOnly, Effect: Changes},
	{Code: 210, Name: "RESUME_CONSUMER", Class: AddressOnly, Effect: Changes},
	{Code: 211, Name: "RESET_CONSUMER_OFFSET_IN_CONSUMER", Class: AddressOnly, Effect: Changes},
	{Code: 212, Name: "RESET_CONSUMER_OFFSET_IN_BROKER", Class: AddressOnly, Effect: Changes},
	{Code: 213, Name: "ADJUST_CONSUMER_THREAD_POOL", Class: AddressOnly, Effect: Changes},
	{Code: 214, Name: "WHO_CONSUME_THE_MESSAGE", Class: AddressOnly, Effect: Reads},
	{Code: 215, Name: "DELETE_TOPIC_IN_BROKER", Class: BrokerChange, Effect: Changes},
	{Code: 216, Name: "DELETE_TOPIC_IN_NAMESRV", Class: NameServerChange, Effect: Changes},
	{Code: 217, Name: "REGISTER_TOPIC_IN_NAMESRV", Class: Internal, Effect: Changes},
	{
		Code: 219, Name: "GET_KVLIST_BY_NAMESPACE", Class: NameServer, Effect: Reads,
		Addresses: Addresses{Data: "what was put there"},
	},
	{Code: 220, Name: "RESET_CONSUMER_CLIENT_OFFSET", Class: FromBroker, Effect: Changes},
	{Code: 221, Name: "GET_CONSUMER_STATUS_FROM_CLIENT", Class: FromBroker, Effect: Reads},
	{Code: 222, Name: "INVOKE_BROKER_TO_RESET_OFFSET", Class: AddressOnly, Effect: Changes},
	{Code: 223, Name: "INVOKE_BROKER_TO_GET_CONSUMER_STATUS", Class: AddressOnly, Effect: Reads},
	{Code: 224, Name: "GET_TOPICS_BY_CLUSTER", Class: NameServer, Effect: Reads},
	{
		Code: 225, Name: "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST", Class: BrokerChange, Effect: Changes,
		Body: subscriptionGroupListBody,
	},
	{Code: 300, Name: "QUERY_TOPIC_CONSUME_BY_WHO", Class: AddressOnly, Effect: Reads},
	{Code: 301, Name: "REGISTER_FILTER_SERVER", Class: Internal, Effect: Changes},
	{Code: 302, Name: "REGISTER_MESSAGE_FILTER_CLASS", Class: Internal, Effect: Changes},
	{Code: 303, Name: "QUERY_CONSUME_TIME_SPAN", Class: AddressOnly, Effect: Reads},
	{
		Code: 304, Name: "GET_SYSTEM_TOPIC_LIST_FROM_NS", Class: NameServer, Effect: Reads,
		Timeout: shortTimeout, Answer: TopicList, Addresses: Addresses{Rewritten: "brokerAddr"},
	},
	{Code: 305, Name: "GET_SYSTEM_TOPIC_LIST_FROM_BROKER", Class: AnyBroker, Effect: Reads, Timeout: shortTimeout, Broker: AnyUnlessNamed},
	{Code: 306, Name: "CLEAN_EXPIRED_CONSUMEQUEUE", Class: AddressOnly, Effect: Changes},
	{
		Code: 307, Name: "GET_CONSUMER_RUNNING_INFO", Class: AddressOnly, Effect: Reads,
		Addresses: Addresses{Data: "PROP_NAMESERVER_ADDR, as the client is configured"},
	},
	{Code: 308, Name: "QUERY_CORRECTION_OFFSET", Class: AddressOnly, Effect: Reads},
	{
		Code: 309, Name: "CONSUME_MESSAGE_DIRECTLY", Class: AddressOnly, Effect: Changes,
		Addresses: Addresses{Stored: storedMessages},
	},
	{
		Code: 310, Name: "SEND_MESSAGE_V2", Class: Named, Effect: ClientTraffic, Purpose: Sending, Operation: Send,
		Timeout: sendTimeout, Fields: shortFields, Sends: MessageOrBatch, Envoy: EnvoyBalances,
		EnvoyStat: "send_message_v2", Addresses: Addresses{Stored: "msgId"},
	},
	{Code: 311, Name: "GET_UNIT_TOPIC_LIST", Class: NameServer, Effect: Reads},
	{Code: 312, Name: "GET_HAS_UNIT_SUB_TOPIC_LIST", Class: NameServer, Effect: Reads},
	{Code: 313, Name: "GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST", Class: NameServer, Effect: Reads},
	{Code: 314, Name: "CLONE_GROUP_OFFSET", Class: AddressOnly, Effect: Changes},
	{Code: 315, Name: "VIEW_BROKER_STATS_DATA", Class: AddressOnly, Effect: Reads},
	{Code: 316, Name: "CLEAN_UNUSED_TOPIC", Class: AddressOnly, Effect: Changes},
	{
		Code: 317, Name: "GET_BROKER_CONSUME_STATS", Class: AddressOnly, Effect: Reads,
		Addresses: Addresses{Data: "brokerAddr"},
	},
	{Code: 318, Name: "UPDATE_NAMESRV_CONFIG", Class: NameServerChange, Effect: Changes},
	{
		Code: 319, Name: "GET_NAMESRV_CONFIG", Class: NameServer, Effect: Reads,
		Addresses: Addresses{Data: "bindAddress, listenPort"},
	},
	{
		Code: 320, Name: "SEND_BATCH_MESSAGE", Class: Named, Effect: ClientTraffic, Purpose: Sending, Operation: Send,
		Timeout: sendTimeout, Fields: shortFields, Sends: Batch, Envoy: EnvoyBalances,
		Addresses: Addresses{Stored: "msgId"},
	},
	{Code: 321, Name: "QUERY_CONSUME_QUEUE", Class: AddressOnly, Effect: Reads},
	{Code: 322, Name: "QUERY_DATA_VERSION", Class: Internal, Effect: Changes},
	{Code: 323, Name: "RESUME_CHECK_HALF_MESSAGE", Class: AddressOnly, Effect: Changes},
	{
		Code: 324, Name: "SEND_REPLY_MESSAGE", Class: Named, Effect: ClientTraffic, Purpose: Sending, Operation: Send,
		Timeout: sendTimeout, Sends: Message, Addresses: Addresses{Stored: "msgId"},
	},
	{
		Code: 325, Name: "SEND_REPLY_MESSAGE_V2", Class: Named, Effect: ClientTraffic, Purpose: Sending, Operation: Send,
		Timeout: sendTimeout, Fields: shortFields, Sends: Message, Addresses: Addresses{Stored: "msgId"},
	},
	{
		Code: 326, Name: "PUSH_REPLY_MESSAGE_TO_CLIENT", Class: FromBroker, Effect: ClientTraffic,
		Addresses: Addresses{Data: "storeHost, bornHost"},
	},
	{Code: 327, Name: "ADD_WRITE_PERM_OF_BROKER", Class: NameServerChange, Effect: Changes},
	{Code: 328, Name: "GET_ALL_PRODUCER_INFO", Class: AddressOnly, Effect: Reads, Addresses: Addresses{Data: "remoteIP"}},
	{Code: 329, Name: "DELETE_EXPIRED_COMMITLOG", Class: AddressOnly, Effect: Changes},
	{
		Code: 343, Name: "QUERY_TOPICS_BY_CONSUMER", Class: AddressOnly, Effect: Reads,
		Answer: TopicList, Addresses: Addresses{Rewritten: "brokerAddr"},
	},
	{Code: 345, Name: "QUERY_SUBSCRIPTION_BY_CONSUMER", Class: AddressOnly, Effect: Reads},
	{Code: 351, Name: "GET_TOPIC_CONFIG", Class: AddressOnly, Effect: Reads},
	{Code: 352, Name: "GET_SUBSCRIPTIONGROUP_CONFIG", Class: AddressOnly, Effect: Reads},
	{Code: 353, Name: "UPDATE_AND_GET_GROUP_FORBIDDEN", Class: AddressOnly, Effect: Changes},
	{Code: 354, Name: "CHECK_ROCKSDB_CQ_WRITE_PROGRESS", Class: AddressOnly, Effect: Reads},
	{Code: 355, Name: "EXPORT_ROCKSDB_CONFIG_TO_JSON", Class: AddressOnly, Effect: Changes}, // it writes files
	{
		Code: 361, Name: "LITE_PULL_MESSAGE", Class: Named, Effect: ClientTraffic, Purpose: Consuming,
		Operation: Receive, Timeout: pullTimeout, LongPoll: whileSuspended, Answer: Messages,
		Addresses: Addresses{Stored: storedMessages},
	},
	{
		Code: 370, Name: "RECALL_MESSAGE", Class: Named, Effect: ClientTraffic, Purpose: Sending, Operation: Send,
		Timeout: sendTimeout, Broker: ByRecallHandle,
	},
	{
		Code: 400, Name: "QUERY_ASSIGNMENT", Class: AnyBroker, Effect: ClientTraffic, Purpose: Consuming,
		Timeout: shortTimeout, Body: queryAssignmentBody, Broker: ByTopic,
	},
	{Code: 401, Name: "SET_MESSAGE_REQUEST_MODE", Class: BrokerChange, Effect: Changes, Body: messageRequestModeBody},
	{Code: 402, Name: "GET_ALL_MESSAGE_REQUEST_MODE", Class: Internal, Effect: Reads},
	{Code: 513, Name: "UPDATE_AND_CREATE_STATIC_TOPIC", Class: AddressOnly, Effect: Changes, Body: staticTopicBody},
	{Code: 901, Name: "GET_BROKER_MEMBER_GROUP", Class: Internal, Effect: Reads},
	{Code: 902, Name: "ADD_BROKER", Class: AddressOnly, Effect: Changes},
	{Code: 903, Name: "REMOVE_BROKER", Class: AddressOnly, Effect: Changes},
	{Code: 904, Name: "BROKER_HEARTBEAT", Class: Internal, Effect: Changes},
	{Code: 905, Name: "NOTIFY_MIN_BROKER_ID_CHANGE", Class: Internal, Effect: Changes},
	{Code: 906, Name: "EXCHANGE_BROKER_HA_INFO", Class: Internal, Effect: Changes},
	{
		Code: 907, Name: "GET_BROKER_HA_STATUS", Class: AddressOnly, Effect: Reads,
		Addresses: Addresses{Data: "addr of each replica, masterAddr"},
	},
	{Code: 908, Name: "RESET_MASTER_FLUSH_OFFSET", Class: AddressOnly, Effect: Changes},
	{Code: 1001, Name: "CONTROLLER_ALTER_SYNC_STATE_SET", Class: Internal, Effect: Changes},
	{Code: 1002, Name: "CONTROLLER_ELECT_MASTER", Class: Internal, Effect: Changes},
	{Code: 1003, Name: "CONTROLLER_REGISTER_BROKER", Class: Internal, Effect: Changes},
	{Code: 1004, Name: "CONTROLLER_GET_REPLICA_INFO", Class: Internal, Effect: Reads},
	{Code: 1005, Name: "CONTROLLER_GET_METADATA_INFO", Class: Internal, Effect: Reads},
	{Code: 1006, Name: "CONTROLLER_GET_SYNC_STATE_DATA", Class: Internal, Effect: Reads},
	{Code: 1007, Name: "GET_BROKER_EPOCH_CACHE", Class: AddressOnly, Effect: Reads},
	{Code: 1008, Name: "NOTIFY_BROKER_ROLE_CHANGED", Class: Internal, Effect: Changes},
	{Code: 1009, Name: "UPDATE_CONTROLLER_CONFIG", Class: Internal, Effect: Changes},
	{Code: 1010, Name: "GET_CONTROLLER_CONFIG", Class: Internal, Effect: Reads},
	{Code: 1011, Name: "CLEAN_BROKER_DATA", Class: Internal, Effect: Changes},
	{Code: 1012, Name: "CONTROLLER_GET_NEXT_BROKER_ID", Class: Internal, Effect: Reads},
	{Code: 1013, Name: "CONTROLLER_APPLY_BROKER_ID", Class: Internal, Effect: Changes},
	{
		Code: 2001, Name: "UPDATE_COLD_DATA_FLOW_CTR_CONFIG", Class: AddressOnly, Effect: Changes,
		Body: groupPropertiesBody,
	},
	{Code: 2002, Name: "REMOVE_COLD_DATA_FLOW_CTR_CONFIG", Class: AddressOnly, Effect: Changes, Body: groupBody},
	{Code: 2003, Name: "GET_COLD_DATA_FLOW_CTR_INFO", Class: AddressOnly, Effect: Reads},
	{Code: 2004, Name: "SET_COMMITLOG_READ_MODE", Class: AddressOnly, Effect: Changes},
	{Code: 3001, Name: "AUTH_CREATE_USER", Class: AddressOnly, Effect: Changes, Secret: true},
	{Code: 3002, Name: "AUTH_UPDATE_USER", Class: AddressOnly, Effect: Changes, Secret: true},
	{Code: 3003, Name: "AUTH_DELETE_USER", Class: AddressOnly, Effect: Changes, Secret: true},
	{Code: 3004, Name: "AUTH_GET_USER", Class: AddressOnly, Effect: Reads, Secret: true},
	{Code: 3005, Name: "AUTH_LIST_USER", Class: AddressOnly, Effect: Reads, Secret: true},
	{Code: 3006, Name: "AUTH_CREATE_ACL", Class: AddressOnly, Effect: Changes, Secret: true},
	{Code: 3007, Name: "AUTH_UPDATE_ACL", Class: AddressOnly, Effect: Changes, Secret: true},
	{Code: 3008, Name: "AUTH_DELETE_ACL", Class: AddressOnly, Effect: Changes, Secret: true},
	{Code: 3009, Name: "AUTH_GET_ACL", Class: AddressOnly, Effect: Reads, Secret: true, Addresses: Addresses{Data: "sourceIps"}},
	{Code: 3010, Name: "AUTH_LIST_ACL", Class: AddressOnly, Effect: Reads, Secret: true, Addresses: Addresses{Data: "sourceIps"}},
	{Code: 5001, Name: "SWITCH_TIMER_ENGINE", Class: AddressOnly, Effect: Changes},
	{Code: 5002, Name: "DELETE_TOPIC_IN_BROKER_LIST", Class: BrokerChange, Effect: Changes, Body: deleteTopicListBody},
	{Code: 5003, Name: "DELETE_SUBSCRIPTION_GROUP_LIST", Class: BrokerChange, Effect: Changes, Body: deleteGroupListBody},
	{
		Code: 200050, Name: "POP_MESSAGE", Class: Named, Effect: ClientTraffic, Purpose: Consuming, Operation: Receive,
		Timeout: pullTimeout, LongPoll: forPollTime, Answer: Messages, Envoy: EnvoyBalances, EnvoyStat: "pop_message",
		Addresses: Addresses{Stored: storedMessages},
	},
	{
		Code: 200051, Name: "ACK_MESSAGE", Class: Named, Effect: ClientTraffic, Purpose: Consuming, Operation: Settle,
		Timeout: shortTimeout, Broker: ByReceipt, Envoy: EnvoyAcknowledges, EnvoyStat: "ack_message",
	},
	{
		Code: 200052, Name: "PEEK_MESSAGE", Class: Named, Effect: ClientTraffic, Purpose: Consuming, Operation: Receive,
		Timeout: shortTimeout, Answer: Messages, Addresses: Addresses{Stored: storedMessages},
	},
	{
		Code: 200053, Name: "CHANGE_MESSAGE_INVISIBLETIME", Class: Named, Effect: ClientTraffic, Purpose: Consuming,
		Operation: Settle, Timeout: shortTimeout, Broker: ByReceipt, Envoy: EnvoyAcknowledges,
	},
	{
		Code: 200054, Name: "NOTIFICATION", Class: Named, Effect: ClientTraffic, Purpose: Consuming,
		Timeout: pullTimeout, LongPoll: forPollTime,
	},
	{Code: 200055, Name: "POLLING_INFO", Class: Named, Effect: ClientTraffic, Purpose: Consuming, Timeout: shortTimeout},
	{Code: 200056, Name: "POP_ROLLBACK", Class: AddressOnly, Effect: Changes},
	{
		Code: 200070, Name: "POP_LITE_MESSAGE", Class: Named, Effect: ClientTraffic, Purpose: Consuming,
		Operation: Receive, Timeout: pullTimeout, LongPoll: forPollTime, Answer: Messages,
		Addresses: Addresses{Stored: storedMessages},
	},
	{
		Code: 200071, Name: "LITE_SUBSCRIPTION_CTL", Class: Named, Effect: ClientTraffic, Purpose: Consuming,
		Timeout: shortTimeout, Body: liteSubscriptionBody,
	},
	{
		Code: 200072, Name: "ACK_LITE_MESSAGE", Class: Named, Effect: ClientTraffic, Purpose: Consuming,
		Operation: Settle, Timeout: shortTimeout, Broker: ByReceipt,
	},
	{Code: 200073, Name: "NOTIFY_UNSUBSCRIBE_LITE", Class: FromBroker, Effect: ClientTraffic},
	{Code: 200074, Name: "GET_BROKER_LITE_INFO", Class: AddressOnly, Effect: Reads},
	{Code: 200075, Name: "GET_PARENT_TOPIC_INFO", Class: AddressOnly, Effect: Reads},
	{Code: 200076, Name: "GET_LITE_TOPIC_INFO", Class: AddressOnly, Effect: Reads},
	{Code: 200077, Name: "GET_LITE_CLIENT_INFO", Class: AddressOnly, Effect: Reads},
	{Code: 200078, Name: "GET_LITE_GROUP_INFO", Class: AddressOnly, Effect: Reads},
	{Code: 200079, Name: "TRIGGER_LITE_DISPATCH", Class: AddressOnly, Effect: Changes},
	{
		Code: 200151, Name: "BATCH_ACK_MESSAGE", Class: Named, Effect: ClientTraffic, Purpose: Consuming,
		Operation: Settle, Timeout: shortTimeout, Body: BatchAckBody, Broker: ByBody,
	},
}
