// SPDX-License-Identifier: Apache-2.0

package router

import (
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// Deadlines, each a little below what clients wait (PROTOCOL: Java's MQClientAPIImpl and its callers).
const (
	sendTimeout    = 2900 * time.Millisecond
	shortTimeout   = 2500 * time.Millisecond
	offsetTimeout  = 4500 * time.Millisecond
	lockTimeout    = 900 * time.Millisecond
	queryTimeout   = 15 * time.Second
	pullTimeout    = 9500 * time.Millisecond
	longPollMargin = 9500 * time.Millisecond
)

// Of gives the row of a request code. Codes without one share a row of class Unlisted.
func Of(code requests.Code) *Kind {
	if n, ok := code.Ordinal(); ok {
		return byOrdinal[n]
	}
	return &unlisted
}

var unlisted = Kind{Class: Unlisted, Locate: ifNamed, inHeader: adminNames}

// byOrdinal has the row of each code that package codec knows.
var byOrdinal = func() []*Kind {
	rows := make([]*Kind, len(requests.Codes()))
	for i := range rows {
		rows[i] = &unlisted
	}
	for i := range Table {
		n, ok := Table[i].Code.Ordinal()
		if !ok {
			panic("a row with an unknown code")
		}
		rows[n] = &Table[i]
		rows[n].inHeader, rows[n].inBody = namesInHeader(rows[n]), subjectsInBody[rows[n].Code]
	}
	return rows
}()

// Table has a row for each request code that package codec knows.
var Table = withAddresses(concat(
	with(ClientTraffic,
		// Messages.
		Kind{Code: requests.SendMessage, Class: Named, Timeout: sendTimeout, Prepared: prepared("sysFlag"), Locate: named(longNames)},
		Kind{Code: requests.SendMessageV2, Class: Named, Timeout: sendTimeout, Prepared: prepared("f"), Locate: named(shortNames)},
		Kind{Code: requests.SendBatchMessage, Class: Named, Timeout: sendTimeout, Locate: named(shortNames)},
		Kind{Code: requests.SendReplyMessage, Class: Named, Timeout: sendTimeout, Locate: named(longNames)},
		Kind{Code: requests.SendReplyMessageV2, Class: Named, Timeout: sendTimeout, Locate: named(shortNames)},
		Kind{Code: requests.EndTransaction, Class: Named, Timeout: shortTimeout, Locate: endTransaction},
		Kind{Code: requests.ConsumerSendMsgBack, Class: Named, Timeout: shortTimeout, Locate: named(names{broker: "bname", topic: "originTopic"})},
		Kind{Code: requests.PullMessage, Class: Named, Timeout: pullTimeout, Wait: pullWait, Locate: named(longNames)},
		Kind{Code: requests.LitePullMessage, Class: Named, Timeout: pullTimeout, Wait: pullWait, Locate: named(longNames)},
		Kind{Code: requests.PopMessage, Class: Named, Timeout: longPollMargin, Wait: popWait, Locate: named(longNames)},
		Kind{Code: requests.PopLiteMessage, Class: Named, Timeout: longPollMargin, Wait: popWait, Locate: named(longNames)},
		Kind{Code: requests.Notification, Class: Named, Timeout: longPollMargin, Wait: popWait, Locate: named(longNames)},
		Kind{Code: requests.AckMessage, Class: Named, Timeout: shortTimeout, Locate: byReceipt},
		Kind{Code: requests.AckLiteMessage, Class: Named, Timeout: shortTimeout, Locate: byReceipt},
		Kind{Code: requests.ChangeMessageInvisibleTime, Class: Named, Timeout: shortTimeout, Locate: byReceipt},
		Kind{Code: requests.BatchAckMessage, Class: Named, Timeout: shortTimeout, Locate: batchAck},
		Kind{Code: requests.PeekMessage, Class: Named, Timeout: shortTimeout, Locate: named(longNames)},
		Kind{Code: requests.PollingInfo, Class: Named, Timeout: shortTimeout, Locate: named(longNames)},
		Kind{Code: requests.LiteSubscriptionCtl, Class: Named, Timeout: shortTimeout, Locate: named(longNames)},
		Kind{Code: requests.RecallMessage, Class: Named, Timeout: sendTimeout, Locate: recall},

		// Offsets.
		Kind{Code: requests.QueryConsumerOffset, Class: Named, Timeout: offsetTimeout, Locate: named(longNames)},
		Kind{Code: requests.UpdateConsumerOffset, Class: Named, Timeout: offsetTimeout, Locate: named(longNames)},
		Kind{Code: requests.SearchOffsetByTimestamp, Class: Named, Timeout: offsetTimeout, Locate: named(longNames)},
		Kind{Code: requests.GetMaxOffset, Class: Named, Timeout: offsetTimeout, Locate: named(longNames)},
		Kind{Code: requests.GetMinOffset, Class: Named, Timeout: offsetTimeout, Locate: named(longNames)},
		Kind{Code: requests.GetEarliestMsgStoreTime, Class: Named, Timeout: offsetTimeout, Locate: named(longNames)},

		// Membership and balance.
		Kind{Code: requests.HeartBeat, Class: AllBrokers, Timeout: shortTimeout},
		Kind{Code: requests.UnregisterClient, Class: AllBrokers, Timeout: shortTimeout},
		Kind{Code: requests.GetConsumerListByGroup, Class: AnyBroker, Timeout: shortTimeout, Locate: consumerList, Rewrite: ConsumerIDs},
		Kind{Code: requests.LockBatchMQ, Class: Named, Timeout: lockTimeout, Locate: lockBatch},
		Kind{Code: requests.UnlockBatchMQ, Class: Named, Timeout: lockTimeout, Locate: lockBatch},
		Kind{Code: requests.CheckClientConfig, Class: AnyBroker, Timeout: shortTimeout, Locate: checkClientConfig},
		Kind{Code: requests.QueryAssignment, Class: AnyBroker, Timeout: shortTimeout, Locate: queryAssignment},
		Kind{Code: requests.GetRouteInfoByTopic, Class: NameServer, Timeout: shortTimeout, Rewrite: TopicRouteData},
	),
	with(Reads,
		Kind{Code: requests.QueryMessage, Class: AnyBroker, Timeout: queryTimeout, Locate: queryMessage},
		Kind{Code: requests.ViewMessageByID, Class: AddressOnly, Locate: viewMessage},
		Kind{Code: requests.GetBrokerClusterInfo, Class: NameServer, Timeout: shortTimeout, Rewrite: ClusterInfo},
		Kind{Code: requests.GetSystemTopicListFromNS, Class: NameServer, Timeout: shortTimeout, Rewrite: TopicList},
		Kind{Code: requests.GetSystemTopicListFromBroker, Class: AnyBroker, Timeout: shortTimeout, Locate: systemTopicList},
		Kind{Code: requests.QueryTopicsByConsumer, Class: AddressOnly, Locate: onlyByAddress, Rewrite: TopicList},
	),
	rows(EveryBroker, Changes,
		requests.UpdateAndCreateTopic, requests.UpdateAndCreateTopicList, requests.DeleteTopicInBroker,
		requests.UpdateAndCreateSubscriptionGroup, requests.UpdateAndCreateSubscriptionGroupList,
		requests.DeleteSubscriptionGroup, requests.SetMessageRequestMode, requests.DeleteTopicInBrokerList,
		requests.DeleteSubscriptionGroupList),
	rows(NameServer, Reads,
		requests.GetKVConfig, requests.GetKVListByNamespace, requests.GetAllTopicListFromNameServer,
		requests.GetTopicsByCluster, requests.GetUnitTopicList,
		requests.GetHasUnitSubTopicList, requests.GetHasUnitSubUnunitTopicList, requests.GetNamesrvConfig),
	rows(AllNameServers, Changes,
		requests.PutKVConfig, requests.DeleteKVConfig, requests.WipeWritePermOfBroker,
		requests.AddWritePermOfBroker, requests.DeleteTopicInNamesrv, requests.UpdateNamesrvConfig),
	rows(FromBroker, ClientTraffic,
		requests.CheckTransactionState, requests.NotifyConsumerIDsChanged, requests.PushReplyMessageToClient,
		requests.NotifyUnsubscribeLite),
	rows(FromBroker, Reads, requests.GetConsumerStatusFromClient),
	rows(FromBroker, Changes, requests.ResetConsumerClientOffset),
	rows(Internal, Reads,
		requests.GetBrokerMemberGroup, requests.GetAllConsumerOffset, requests.GetAllDelayOffset,
		requests.GetTimerCheckPoint, requests.GetTimerMetrics, requests.GetAllMessageRequestMode, requests.ControllerGetReplicaInfo,
		requests.ControllerGetMetadataInfo, requests.ControllerGetSyncStateData, requests.GetControllerConfig,
		requests.ControllerGetNextBrokerID),
	rows(Internal, Changes,
		requests.RegisterBroker, requests.UnregisterBroker, requests.QueryDataVersion, requests.BrokerHeartbeat,
		requests.NotifyMinBrokerIDChange, requests.ExchangeBrokerHAInfo, requests.NotifyBrokerRoleChanged,
		requests.ControllerAlterSyncStateSet, requests.ControllerElectMaster, requests.ControllerRegisterBroker,
		requests.UpdateControllerConfig, requests.CleanBrokerData, requests.ControllerApplyBrokerID,
		requests.RegisterTopicInNamesrv, requests.RegisterFilterServer, requests.RegisterMessageFilterClass),
	rows(AddressOnly, Changes,
		requests.UpdateAndCreateStaticTopic, requests.UpdateAndGetGroupForbidden, requests.InvokeBrokerToResetOffset,
		requests.CloneGroupOffset, requests.ConsumeMessageDirectly, requests.ResumeCheckHalfMessage,
		requests.UpdateBrokerConfig, requests.CleanExpiredConsumeQueue, requests.CleanUnusedTopic,
		requests.DeleteExpiredCommitLog, requests.ResetMasterFlushOffset, requests.AddBroker, requests.RemoveBroker,
		requests.UpdateColdDataFlowCtrConfig, requests.RemoveColdDataFlowCtrConfig, requests.SetCommitLogReadMode,
		requests.AuthCreateUser, requests.AuthUpdateUser, requests.AuthDeleteUser, requests.AuthCreateACL,
		requests.AuthUpdateACL, requests.AuthDeleteACL, requests.UpdateAndCreateACLConfig, requests.DeleteACLConfig,
		requests.UpdateGlobalWhiteAddrsConfig, requests.TriggerDeleteFiles, requests.SuspendConsumer,
		requests.ResumeConsumer, requests.ResetConsumerOffsetInConsumer, requests.ResetConsumerOffsetInBroker,
		requests.AdjustConsumerThreadPool, requests.SwitchTimerEngine, requests.PopRollback,
		requests.TriggerLiteDispatch,
		requests.ExportRocksDBConfigToJSON), // it writes files
	rows(AddressOnly, Reads,
		requests.GetTopicConfig, requests.GetAllTopicConfig,
		requests.GetAllSubscriptionGroupConfig, requests.GetSubscriptionGroupConfig, requests.GetTopicStatsInfo,
		requests.GetConsumeStats, requests.GetBrokerConsumeStats, requests.ViewBrokerStatsData,
		requests.GetConsumerConnectionList, requests.GetProducerConnectionList, requests.GetAllProducerInfo,
		requests.InvokeBrokerToGetConsumerStatus, requests.QueryTopicConsumeByWho, requests.QueryConsumeTimeSpan,
		requests.QueryCorrectionOffset, requests.QuerySubscriptionByConsumer,
		requests.GetConsumerRunningInfo, requests.QueryConsumeQueue, requests.CheckRocksDBCQWriteProgress,
		requests.GetBrokerConfig, requests.GetBrokerRuntimeInfo,
		requests.GetBrokerHAStatus, requests.GetBrokerEpochCache, requests.GetColdDataFlowCtrInfo,
		requests.AuthGetUser, requests.AuthListUser, requests.AuthGetACL, requests.AuthListACL,
		requests.GetBrokerClusterACLInfo, requests.GetBrokerClusterACLConfig, requests.QueryBrokerOffset,
		requests.GetTopicConfigList, requests.GetTopicNameList, requests.GetClientConfig,
		requests.WhoConsumeTheMessage, requests.GetBrokerLiteInfo, requests.GetParentTopicInfo,
		requests.GetLiteTopicInfo, requests.GetLiteClientInfo, requests.GetLiteGroupInfo),
))

// with gives rows their effect.
func with(effect Effect, kinds ...Kind) []Kind {
	for i := range kinds {
		kinds[i].Effect = effect
	}
	return kinds
}

// rows makes rows that have nothing but their class and their effect.
func rows(class Class, effect Effect, codes ...requests.Code) []Kind {
	kinds := make([]Kind, len(codes))
	for i, code := range codes {
		kinds[i] = Kind{Code: code, Class: class}
		if class == AddressOnly {
			kinds[i].Locate = onlyByAddress
		}
	}
	return with(effect, kinds...)
}

func concat(parts ...[]Kind) (all []Kind) {
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}
