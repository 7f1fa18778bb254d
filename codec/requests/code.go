// SPDX-License-Identifier: Apache-2.0

package requests

import (
	"slices"
	"strconv"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// Code says what a request asks for. Values and names are those of the
// Java class RequestCode; the list is the union of releases 4.2.0 to 5.5.1.
type Code int32

// All known request codes, named after their Java constants.
const (
	SendMessage                          Code = 10
	PullMessage                          Code = 11
	QueryMessage                         Code = 12
	QueryBrokerOffset                    Code = 13
	QueryConsumerOffset                  Code = 14
	UpdateConsumerOffset                 Code = 15
	UpdateAndCreateTopic                 Code = 17
	UpdateAndCreateTopicList             Code = 18
	GetAllTopicConfig                    Code = 21
	GetTopicConfigList                   Code = 22
	GetTopicNameList                     Code = 23
	UpdateBrokerConfig                   Code = 25
	GetBrokerConfig                      Code = 26
	TriggerDeleteFiles                   Code = 27
	GetBrokerRuntimeInfo                 Code = 28
	SearchOffsetByTimestamp              Code = 29
	GetMaxOffset                         Code = 30
	GetMinOffset                         Code = 31
	GetEarliestMsgStoreTime              Code = 32
	ViewMessageByID                      Code = 33
	HeartBeat                            Code = 34
	UnregisterClient                     Code = 35
	ConsumerSendMsgBack                  Code = 36
	EndTransaction                       Code = 37
	GetConsumerListByGroup               Code = 38
	CheckTransactionState                Code = 39
	NotifyConsumerIDsChanged             Code = 40
	LockBatchMQ                          Code = 41
	UnlockBatchMQ                        Code = 42
	GetAllConsumerOffset                 Code = 43
	GetAllDelayOffset                    Code = 45
	CheckClientConfig                    Code = 46
	GetClientConfig                      Code = 47
	UpdateAndCreateACLConfig             Code = 50 // up to 5.3.2
	DeleteACLConfig                      Code = 51 // up to 5.3.2
	GetBrokerClusterACLInfo              Code = 52 // up to 5.3.2
	UpdateGlobalWhiteAddrsConfig         Code = 53 // up to 5.3.2
	GetBrokerClusterACLConfig            Code = 54 // up to 5.3.2
	GetTimerCheckPoint                   Code = 60
	GetTimerMetrics                      Code = 61
	PutKVConfig                          Code = 100
	GetKVConfig                          Code = 101
	DeleteKVConfig                       Code = 102
	RegisterBroker                       Code = 103
	UnregisterBroker                     Code = 104
	GetRouteInfoByTopic                  Code = 105
	GetBrokerClusterInfo                 Code = 106
	UpdateAndCreateSubscriptionGroup     Code = 200
	GetAllSubscriptionGroupConfig        Code = 201
	GetTopicStatsInfo                    Code = 202
	GetConsumerConnectionList            Code = 203
	GetProducerConnectionList            Code = 204
	WipeWritePermOfBroker                Code = 205
	GetAllTopicListFromNameServer        Code = 206
	DeleteSubscriptionGroup              Code = 207
	GetConsumeStats                      Code = 208
	SuspendConsumer                      Code = 209
	ResumeConsumer                       Code = 210
	ResetConsumerOffsetInConsumer        Code = 211
	ResetConsumerOffsetInBroker          Code = 212
	AdjustConsumerThreadPool             Code = 213
	WhoConsumeTheMessage                 Code = 214
	DeleteTopicInBroker                  Code = 215
	DeleteTopicInNamesrv                 Code = 216
	RegisterTopicInNamesrv               Code = 217
	GetKVListByNamespace                 Code = 219
	ResetConsumerClientOffset            Code = 220
	GetConsumerStatusFromClient          Code = 221
	InvokeBrokerToResetOffset            Code = 222
	InvokeBrokerToGetConsumerStatus      Code = 223
	GetTopicsByCluster                   Code = 224
	UpdateAndCreateSubscriptionGroupList Code = 225
	QueryTopicConsumeByWho               Code = 300
	RegisterFilterServer                 Code = 301
	RegisterMessageFilterClass           Code = 302
	QueryConsumeTimeSpan                 Code = 303
	GetSystemTopicListFromNS             Code = 304
	GetSystemTopicListFromBroker         Code = 305
	CleanExpiredConsumeQueue             Code = 306
	GetConsumerRunningInfo               Code = 307
	QueryCorrectionOffset                Code = 308
	ConsumeMessageDirectly               Code = 309
	SendMessageV2                        Code = 310
	GetUnitTopicList                     Code = 311
	GetHasUnitSubTopicList               Code = 312
	GetHasUnitSubUnunitTopicList         Code = 313
	CloneGroupOffset                     Code = 314
	ViewBrokerStatsData                  Code = 315
	CleanUnusedTopic                     Code = 316
	GetBrokerConsumeStats                Code = 317
	UpdateNamesrvConfig                  Code = 318
	GetNamesrvConfig                     Code = 319
	SendBatchMessage                     Code = 320
	QueryConsumeQueue                    Code = 321
	QueryDataVersion                     Code = 322
	ResumeCheckHalfMessage               Code = 323
	SendReplyMessage                     Code = 324
	SendReplyMessageV2                   Code = 325
	PushReplyMessageToClient             Code = 326
	AddWritePermOfBroker                 Code = 327
	GetAllProducerInfo                   Code = 328
	DeleteExpiredCommitLog               Code = 329
	QueryTopicsByConsumer                Code = 343
	QuerySubscriptionByConsumer          Code = 345
	GetTopicConfig                       Code = 351
	GetSubscriptionGroupConfig           Code = 352
	UpdateAndGetGroupForbidden           Code = 353
	CheckRocksDBCQWriteProgress          Code = 354
	ExportRocksDBConfigToJSON            Code = 355
	LitePullMessage                      Code = 361
	RecallMessage                        Code = 370
	QueryAssignment                      Code = 400
	SetMessageRequestMode                Code = 401
	GetAllMessageRequestMode             Code = 402
	UpdateAndCreateStaticTopic           Code = 513
	GetBrokerMemberGroup                 Code = 901
	AddBroker                            Code = 902
	RemoveBroker                         Code = 903
	BrokerHeartbeat                      Code = 904
	NotifyMinBrokerIDChange              Code = 905
	ExchangeBrokerHAInfo                 Code = 906
	GetBrokerHAStatus                    Code = 907
	ResetMasterFlushOffset               Code = 908
	ControllerAlterSyncStateSet          Code = 1001
	ControllerElectMaster                Code = 1002
	ControllerRegisterBroker             Code = 1003
	ControllerGetReplicaInfo             Code = 1004
	ControllerGetMetadataInfo            Code = 1005
	ControllerGetSyncStateData           Code = 1006
	GetBrokerEpochCache                  Code = 1007
	NotifyBrokerRoleChanged              Code = 1008
	UpdateControllerConfig               Code = 1009
	GetControllerConfig                  Code = 1010
	CleanBrokerData                      Code = 1011
	ControllerGetNextBrokerID            Code = 1012
	ControllerApplyBrokerID              Code = 1013
	UpdateColdDataFlowCtrConfig          Code = 2001
	RemoveColdDataFlowCtrConfig          Code = 2002
	GetColdDataFlowCtrInfo               Code = 2003
	SetCommitLogReadMode                 Code = 2004
	AuthCreateUser                       Code = 3001
	AuthUpdateUser                       Code = 3002
	AuthDeleteUser                       Code = 3003
	AuthGetUser                          Code = 3004
	AuthListUser                         Code = 3005
	AuthCreateACL                        Code = 3006
	AuthUpdateACL                        Code = 3007
	AuthDeleteACL                        Code = 3008
	AuthGetACL                           Code = 3009
	AuthListACL                          Code = 3010
	SwitchTimerEngine                    Code = 5001
	DeleteTopicInBrokerList              Code = 5002
	DeleteSubscriptionGroupList          Code = 5003
	PopMessage                           Code = 200050
	AckMessage                           Code = 200051
	PeekMessage                          Code = 200052
	ChangeMessageInvisibleTime           Code = 200053
	Notification                         Code = 200054
	PollingInfo                          Code = 200055
	PopRollback                          Code = 200056
	PopLiteMessage                       Code = 200070
	LiteSubscriptionCtl                  Code = 200071
	AckLiteMessage                       Code = 200072
	NotifyUnsubscribeLite                Code = 200073
	GetBrokerLiteInfo                    Code = 200074
	GetParentTopicInfo                   Code = 200075
	GetLiteTopicInfo                     Code = 200076
	GetLiteClientInfo                    Code = 200077
	GetLiteGroupInfo                     Code = 200078
	TriggerLiteDispatch                  Code = 200079
	BatchAckMessage                      Code = 200151
)

// names holds Java's own constant names.
var names = map[Code]string{
	SendMessage:                          "SEND_MESSAGE",
	PullMessage:                          "PULL_MESSAGE",
	QueryMessage:                         "QUERY_MESSAGE",
	QueryBrokerOffset:                    "QUERY_BROKER_OFFSET",
	QueryConsumerOffset:                  "QUERY_CONSUMER_OFFSET",
	UpdateConsumerOffset:                 "UPDATE_CONSUMER_OFFSET",
	UpdateAndCreateTopic:                 "UPDATE_AND_CREATE_TOPIC",
	UpdateAndCreateTopicList:             "UPDATE_AND_CREATE_TOPIC_LIST",
	GetAllTopicConfig:                    "GET_ALL_TOPIC_CONFIG",
	GetTopicConfigList:                   "GET_TOPIC_CONFIG_LIST",
	GetTopicNameList:                     "GET_TOPIC_NAME_LIST",
	UpdateBrokerConfig:                   "UPDATE_BROKER_CONFIG",
	GetBrokerConfig:                      "GET_BROKER_CONFIG",
	TriggerDeleteFiles:                   "TRIGGER_DELETE_FILES",
	GetBrokerRuntimeInfo:                 "GET_BROKER_RUNTIME_INFO",
	SearchOffsetByTimestamp:              "SEARCH_OFFSET_BY_TIMESTAMP",
	GetMaxOffset:                         "GET_MAX_OFFSET",
	GetMinOffset:                         "GET_MIN_OFFSET",
	GetEarliestMsgStoreTime:              "GET_EARLIEST_MSG_STORETIME",
	ViewMessageByID:                      "VIEW_MESSAGE_BY_ID",
	HeartBeat:                            "HEART_BEAT",
	UnregisterClient:                     "UNREGISTER_CLIENT",
	ConsumerSendMsgBack:                  "CONSUMER_SEND_MSG_BACK",
	EndTransaction:                       "END_TRANSACTION",
	GetConsumerListByGroup:               "GET_CONSUMER_LIST_BY_GROUP",
	CheckTransactionState:                "CHECK_TRANSACTION_STATE",
	NotifyConsumerIDsChanged:             "NOTIFY_CONSUMER_IDS_CHANGED",
	LockBatchMQ:                          "LOCK_BATCH_MQ",
	UnlockBatchMQ:                        "UNLOCK_BATCH_MQ",
	GetAllConsumerOffset:                 "GET_ALL_CONSUMER_OFFSET",
	GetAllDelayOffset:                    "GET_ALL_DELAY_OFFSET",
	CheckClientConfig:                    "CHECK_CLIENT_CONFIG",
	GetClientConfig:                      "GET_CLIENT_CONFIG",
	UpdateAndCreateACLConfig:             "UPDATE_AND_CREATE_ACL_CONFIG",
	DeleteACLConfig:                      "DELETE_ACL_CONFIG",
	GetBrokerClusterACLInfo:              "GET_BROKER_CLUSTER_ACL_INFO",
	UpdateGlobalWhiteAddrsConfig:         "UPDATE_GLOBAL_WHITE_ADDRS_CONFIG",
	GetBrokerClusterACLConfig:            "GET_BROKER_CLUSTER_ACL_CONFIG",
	GetTimerCheckPoint:                   "GET_TIMER_CHECK_POINT",
	GetTimerMetrics:                      "GET_TIMER_METRICS",
	PutKVConfig:                          "PUT_KV_CONFIG",
	GetKVConfig:                          "GET_KV_CONFIG",
	DeleteKVConfig:                       "DELETE_KV_CONFIG",
	RegisterBroker:                       "REGISTER_BROKER",
	UnregisterBroker:                     "UNREGISTER_BROKER",
	GetRouteInfoByTopic:                  "GET_ROUTEINFO_BY_TOPIC",
	GetBrokerClusterInfo:                 "GET_BROKER_CLUSTER_INFO",
	UpdateAndCreateSubscriptionGroup:     "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP",
	GetAllSubscriptionGroupConfig:        "GET_ALL_SUBSCRIPTIONGROUP_CONFIG",
	GetTopicStatsInfo:                    "GET_TOPIC_STATS_INFO",
	GetConsumerConnectionList:            "GET_CONSUMER_CONNECTION_LIST",
	GetProducerConnectionList:            "GET_PRODUCER_CONNECTION_LIST",
	WipeWritePermOfBroker:                "WIPE_WRITE_PERM_OF_BROKER",
	GetAllTopicListFromNameServer:        "GET_ALL_TOPIC_LIST_FROM_NAMESERVER",
	DeleteSubscriptionGroup:              "DELETE_SUBSCRIPTIONGROUP",
	GetConsumeStats:                      "GET_CONSUME_STATS",
	SuspendConsumer:                      "SUSPEND_CONSUMER",
	ResumeConsumer:                       "RESUME_CONSUMER",
	ResetConsumerOffsetInConsumer:        "RESET_CONSUMER_OFFSET_IN_CONSUMER",
	ResetConsumerOffsetInBroker:          "RESET_CONSUMER_OFFSET_IN_BROKER",
	AdjustConsumerThreadPool:             "ADJUST_CONSUMER_THREAD_POOL",
	WhoConsumeTheMessage:                 "WHO_CONSUME_THE_MESSAGE",
	DeleteTopicInBroker:                  "DELETE_TOPIC_IN_BROKER",
	DeleteTopicInNamesrv:                 "DELETE_TOPIC_IN_NAMESRV",
	RegisterTopicInNamesrv:               "REGISTER_TOPIC_IN_NAMESRV",
	GetKVListByNamespace:                 "GET_KVLIST_BY_NAMESPACE",
	ResetConsumerClientOffset:            "RESET_CONSUMER_CLIENT_OFFSET",
	GetConsumerStatusFromClient:          "GET_CONSUMER_STATUS_FROM_CLIENT",
	InvokeBrokerToResetOffset:            "INVOKE_BROKER_TO_RESET_OFFSET",
	InvokeBrokerToGetConsumerStatus:      "INVOKE_BROKER_TO_GET_CONSUMER_STATUS",
	GetTopicsByCluster:                   "GET_TOPICS_BY_CLUSTER",
	UpdateAndCreateSubscriptionGroupList: "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST",
	QueryTopicConsumeByWho:               "QUERY_TOPIC_CONSUME_BY_WHO",
	RegisterFilterServer:                 "REGISTER_FILTER_SERVER",
	RegisterMessageFilterClass:           "REGISTER_MESSAGE_FILTER_CLASS",
	QueryConsumeTimeSpan:                 "QUERY_CONSUME_TIME_SPAN",
	GetSystemTopicListFromNS:             "GET_SYSTEM_TOPIC_LIST_FROM_NS",
	GetSystemTopicListFromBroker:         "GET_SYSTEM_TOPIC_LIST_FROM_BROKER",
	CleanExpiredConsumeQueue:             "CLEAN_EXPIRED_CONSUMEQUEUE",
	GetConsumerRunningInfo:               "GET_CONSUMER_RUNNING_INFO",
	QueryCorrectionOffset:                "QUERY_CORRECTION_OFFSET",
	ConsumeMessageDirectly:               "CONSUME_MESSAGE_DIRECTLY",
	SendMessageV2:                        "SEND_MESSAGE_V2",
	GetUnitTopicList:                     "GET_UNIT_TOPIC_LIST",
	GetHasUnitSubTopicList:               "GET_HAS_UNIT_SUB_TOPIC_LIST",
	GetHasUnitSubUnunitTopicList:         "GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST",
	CloneGroupOffset:                     "CLONE_GROUP_OFFSET",
	ViewBrokerStatsData:                  "VIEW_BROKER_STATS_DATA",
	CleanUnusedTopic:                     "CLEAN_UNUSED_TOPIC",
	GetBrokerConsumeStats:                "GET_BROKER_CONSUME_STATS",
	UpdateNamesrvConfig:                  "UPDATE_NAMESRV_CONFIG",
	GetNamesrvConfig:                     "GET_NAMESRV_CONFIG",
	SendBatchMessage:                     "SEND_BATCH_MESSAGE",
	QueryConsumeQueue:                    "QUERY_CONSUME_QUEUE",
	QueryDataVersion:                     "QUERY_DATA_VERSION",
	ResumeCheckHalfMessage:               "RESUME_CHECK_HALF_MESSAGE",
	SendReplyMessage:                     "SEND_REPLY_MESSAGE",
	SendReplyMessageV2:                   "SEND_REPLY_MESSAGE_V2",
	PushReplyMessageToClient:             "PUSH_REPLY_MESSAGE_TO_CLIENT",
	AddWritePermOfBroker:                 "ADD_WRITE_PERM_OF_BROKER",
	GetAllProducerInfo:                   "GET_ALL_PRODUCER_INFO",
	DeleteExpiredCommitLog:               "DELETE_EXPIRED_COMMITLOG",
	QueryTopicsByConsumer:                "QUERY_TOPICS_BY_CONSUMER",
	QuerySubscriptionByConsumer:          "QUERY_SUBSCRIPTION_BY_CONSUMER",
	GetTopicConfig:                       "GET_TOPIC_CONFIG",
	GetSubscriptionGroupConfig:           "GET_SUBSCRIPTIONGROUP_CONFIG",
	UpdateAndGetGroupForbidden:           "UPDATE_AND_GET_GROUP_FORBIDDEN",
	CheckRocksDBCQWriteProgress:          "CHECK_ROCKSDB_CQ_WRITE_PROGRESS",
	ExportRocksDBConfigToJSON:            "EXPORT_ROCKSDB_CONFIG_TO_JSON",
	LitePullMessage:                      "LITE_PULL_MESSAGE",
	RecallMessage:                        "RECALL_MESSAGE",
	QueryAssignment:                      "QUERY_ASSIGNMENT",
	SetMessageRequestMode:                "SET_MESSAGE_REQUEST_MODE",
	GetAllMessageRequestMode:             "GET_ALL_MESSAGE_REQUEST_MODE",
	UpdateAndCreateStaticTopic:           "UPDATE_AND_CREATE_STATIC_TOPIC",
	GetBrokerMemberGroup:                 "GET_BROKER_MEMBER_GROUP",
	AddBroker:                            "ADD_BROKER",
	RemoveBroker:                         "REMOVE_BROKER",
	BrokerHeartbeat:                      "BROKER_HEARTBEAT",
	NotifyMinBrokerIDChange:              "NOTIFY_MIN_BROKER_ID_CHANGE",
	ExchangeBrokerHAInfo:                 "EXCHANGE_BROKER_HA_INFO",
	GetBrokerHAStatus:                    "GET_BROKER_HA_STATUS",
	ResetMasterFlushOffset:               "RESET_MASTER_FLUSH_OFFSET",
	ControllerAlterSyncStateSet:          "CONTROLLER_ALTER_SYNC_STATE_SET",
	ControllerElectMaster:                "CONTROLLER_ELECT_MASTER",
	ControllerRegisterBroker:             "CONTROLLER_REGISTER_BROKER",
	ControllerGetReplicaInfo:             "CONTROLLER_GET_REPLICA_INFO",
	ControllerGetMetadataInfo:            "CONTROLLER_GET_METADATA_INFO",
	ControllerGetSyncStateData:           "CONTROLLER_GET_SYNC_STATE_DATA",
	GetBrokerEpochCache:                  "GET_BROKER_EPOCH_CACHE",
	NotifyBrokerRoleChanged:              "NOTIFY_BROKER_ROLE_CHANGED",
	UpdateControllerConfig:               "UPDATE_CONTROLLER_CONFIG",
	GetControllerConfig:                  "GET_CONTROLLER_CONFIG",
	CleanBrokerData:                      "CLEAN_BROKER_DATA",
	ControllerGetNextBrokerID:            "CONTROLLER_GET_NEXT_BROKER_ID",
	ControllerApplyBrokerID:              "CONTROLLER_APPLY_BROKER_ID",
	UpdateColdDataFlowCtrConfig:          "UPDATE_COLD_DATA_FLOW_CTR_CONFIG",
	RemoveColdDataFlowCtrConfig:          "REMOVE_COLD_DATA_FLOW_CTR_CONFIG",
	GetColdDataFlowCtrInfo:               "GET_COLD_DATA_FLOW_CTR_INFO",
	SetCommitLogReadMode:                 "SET_COMMITLOG_READ_MODE",
	AuthCreateUser:                       "AUTH_CREATE_USER",
	AuthUpdateUser:                       "AUTH_UPDATE_USER",
	AuthDeleteUser:                       "AUTH_DELETE_USER",
	AuthGetUser:                          "AUTH_GET_USER",
	AuthListUser:                         "AUTH_LIST_USER",
	AuthCreateACL:                        "AUTH_CREATE_ACL",
	AuthUpdateACL:                        "AUTH_UPDATE_ACL",
	AuthDeleteACL:                        "AUTH_DELETE_ACL",
	AuthGetACL:                           "AUTH_GET_ACL",
	AuthListACL:                          "AUTH_LIST_ACL",
	SwitchTimerEngine:                    "SWITCH_TIMER_ENGINE",
	DeleteTopicInBrokerList:              "DELETE_TOPIC_IN_BROKER_LIST",
	DeleteSubscriptionGroupList:          "DELETE_SUBSCRIPTION_GROUP_LIST",
	PopMessage:                           "POP_MESSAGE",
	AckMessage:                           "ACK_MESSAGE",
	PeekMessage:                          "PEEK_MESSAGE",
	ChangeMessageInvisibleTime:           "CHANGE_MESSAGE_INVISIBLETIME",
	Notification:                         "NOTIFICATION",
	PollingInfo:                          "POLLING_INFO",
	PopRollback:                          "POP_ROLLBACK",
	PopLiteMessage:                       "POP_LITE_MESSAGE",
	LiteSubscriptionCtl:                  "LITE_SUBSCRIPTION_CTL",
	AckLiteMessage:                       "ACK_LITE_MESSAGE",
	NotifyUnsubscribeLite:                "NOTIFY_UNSUBSCRIBE_LITE",
	GetBrokerLiteInfo:                    "GET_BROKER_LITE_INFO",
	GetParentTopicInfo:                   "GET_PARENT_TOPIC_INFO",
	GetLiteTopicInfo:                     "GET_LITE_TOPIC_INFO",
	GetLiteClientInfo:                    "GET_LITE_CLIENT_INFO",
	GetLiteGroupInfo:                     "GET_LITE_GROUP_INFO",
	TriggerLiteDispatch:                  "TRIGGER_LITE_DISPATCH",
	BatchAckMessage:                      "BATCH_ACK_MESSAGE",
}

// String returns the Java constant name, for instance "SEND_MESSAGE_V2", or
// "UNKNOWN_REQUEST_CODE_<n>". Only the latter allocates: the number comes from a
// stranger, so it must not become the name of a stat.
func (c Code) String() string {
	if s, ok := names[c]; ok {
		return s
	}
	return "UNKNOWN_REQUEST_CODE_" + strconv.Itoa(int(c))
}

// Known reports whether c has a name here.
func (c Code) Known() bool {
	_, ok := names[c]
	return ok
}

// Codes gives a new slice with all known request codes in ascending order.
func Codes() []Code {
	codes := make([]Code, 0, len(names))
	for c := range names {
		codes = append(codes, c)
	}
	slices.Sort(codes)
	return codes
}

// CodeOf returns the request code of a header. ROCKETMQ has room for 16 bits only, so codes above 32767 arrive cut off;
// those of known requests get their number back (3442 is POP_MESSAGE, 200050). The bytes keep what the client wrote.
func CodeOf(h *codec.Header) Code {
	c := Code(h.Code)
	if h.Type == codec.ROCKETMQ {
		if _, known := (c + cutOff).Ordinal(); known {
			return c + cutOff
		}
	}
	return c
}

// cutOff is what 16 bits lose of the codes above 32767: the same for all that are known.
const cutOff Code = 3 << 16
