using Pillarbox.Protocols.Kafka.Apis;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka;

/// <summary>Every API that the node speaks, one line each: the table of contents of <c>Apis/</c>.</summary>
internal static class ApiTable
{
    public static readonly ApiEntry[] All =
    [
        ApiEntry.Of<ProduceRequest, ProduceResponse>(ProduceApi.HandleAsync),
        ApiEntry.Of<FetchRequest, FetchResponse>(FetchApi.HandleAsync),
        ApiEntry.Of<ListOffsetsRequest, ListOffsetsResponse>(ListOffsetsApi.HandleAsync),
        ApiEntry.Of<MetadataRequest, MetadataResponse>(MetadataApi.HandleAsync),
        ApiEntry.Of<OffsetCommitRequest, OffsetCommitResponse>(OffsetCommitApi.HandleAsync),
        ApiEntry.Of<OffsetFetchRequest, OffsetFetchResponse>(OffsetFetchApi.HandleAsync),
        ApiEntry.Of<FindCoordinatorRequest, FindCoordinatorResponse>(FindCoordinatorApi.HandleAsync),
        ApiEntry.Of<JoinGroupRequest, JoinGroupResponse>(JoinGroupApi.HandleAsync),
        ApiEntry.Of<HeartbeatRequest, HeartbeatResponse>(HeartbeatApi.HandleAsync),
        ApiEntry.Of<LeaveGroupRequest, LeaveGroupResponse>(LeaveGroupApi.HandleAsync),
        ApiEntry.Of<SyncGroupRequest, SyncGroupResponse>(SyncGroupApi.HandleAsync),
        ApiEntry.Of<DescribeGroupsRequest, DescribeGroupsResponse>(DescribeGroupsApi.HandleAsync),
        ApiEntry.Of<ListGroupsRequest, ListGroupsResponse>(ListGroupsApi.HandleAsync),
        ApiEntry.Of<SaslHandshakeRequest, SaslHandshakeResponse>(SaslHandshakeApi.HandleAsync, beforeLogin: true),
        ApiEntry.Of<ApiVersionsRequest, ApiVersionsResponse>(ApiVersionsApi.HandleAsync, beforeLogin: true),
        ApiEntry.Of<CreateTopicsRequest, CreateTopicsResponse>(CreateTopicsApi.HandleAsync),
        ApiEntry.Of<DeleteTopicsRequest, DeleteTopicsResponse>(DeleteTopicsApi.HandleAsync),
        ApiEntry.Of<DeleteRecordsRequest, DeleteRecordsResponse>(DeleteRecordsApi.HandleAsync),
        ApiEntry.Of<InitProducerIdRequest, InitProducerIdResponse>(
            InitProducerIdApi.HandleAsync, InitProducerIdApi.VersionMax),
        ApiEntry.Of<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(OffsetForLeaderEpochApi.HandleAsync),
        ApiEntry.Of<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(AddPartitionsToTxnApi.HandleAsync),
        ApiEntry.Of<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>(AddOffsetsToTxnApi.HandleAsync),
        ApiEntry.Of<EndTxnRequest, EndTxnResponse>(EndTxnApi.HandleAsync),
        ApiEntry.Of<WriteTxnMarkersRequest, WriteTxnMarkersResponse>(WriteTxnMarkersApi.HandleAsync),
        ApiEntry.Of<TxnOffsetCommitRequest, TxnOffsetCommitResponse>(TxnOffsetCommitApi.HandleAsync),
        ApiEntry.Of<DescribeAclsRequest, DescribeAclsResponse>(DescribeAclsApi.HandleAsync),
        ApiEntry.Of<CreateAclsRequest, CreateAclsResponse>(CreateAclsApi.HandleAsync),
        ApiEntry.Of<DeleteAclsRequest, DeleteAclsResponse>(DeleteAclsApi.HandleAsync),
        ApiEntry.Of<DescribeConfigsRequest, DescribeConfigsResponse>(DescribeConfigsApi.HandleAsync),
        ApiEntry.Of<AlterConfigsRequest, AlterConfigsResponse>(AlterConfigsApi.HandleAsync),
        ApiEntry.Of<AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse>(AlterReplicaLogDirsApi.HandleAsync),
        ApiEntry.Of<DescribeLogDirsRequest, DescribeLogDirsResponse>(DescribeLogDirsApi.HandleAsync),
        ApiEntry.Of<SaslAuthenticateRequest, SaslAuthenticateResponse>(
            SaslAuthenticateApi.HandleAsync, beforeLogin: true),
        ApiEntry.Of<CreatePartitionsRequest, CreatePartitionsResponse>(CreatePartitionsApi.HandleAsync),
        ApiEntry.Of<CreateDelegationTokenRequest, CreateDelegationTokenResponse>(CreateDelegationTokenApi.HandleAsync),
        ApiEntry.Of<RenewDelegationTokenRequest, RenewDelegationTokenResponse>(RenewDelegationTokenApi.HandleAsync),
        ApiEntry.Of<ExpireDelegationTokenRequest, ExpireDelegationTokenResponse>(ExpireDelegationTokenApi.HandleAsync),
        ApiEntry.Of<DescribeDelegationTokenRequest, DescribeDelegationTokenResponse>(
            DescribeDelegationTokenApi.HandleAsync),
        ApiEntry.Of<DeleteGroupsRequest, DeleteGroupsResponse>(DeleteGroupsApi.HandleAsync),
        ApiEntry.Of<ElectLeadersRequest, ElectLeadersResponse>(ElectLeadersApi.HandleAsync),
        ApiEntry.Of<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
            IncrementalAlterConfigsApi.HandleAsync),
        ApiEntry.Of<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(
            AlterPartitionReassignmentsApi.HandleAsync),
        ApiEntry.Of<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>(
            ListPartitionReassignmentsApi.HandleAsync),
        ApiEntry.Of<OffsetDeleteRequest, OffsetDeleteResponse>(OffsetDeleteApi.HandleAsync),
        ApiEntry.Of<DescribeClientQuotasRequest, DescribeClientQuotasResponse>(DescribeClientQuotasApi.HandleAsync),
        ApiEntry.Of<AlterClientQuotasRequest, AlterClientQuotasResponse>(AlterClientQuotasApi.HandleAsync),
        ApiEntry.Of<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse>(
            DescribeUserScramCredentialsApi.HandleAsync),
        ApiEntry.Of<AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse>(
            AlterUserScramCredentialsApi.HandleAsync),
        ApiEntry.Of<DescribeQuorumRequest, DescribeQuorumResponse>(DescribeQuorumApi.HandleAsync),
        ApiEntry.Of<UpdateFeaturesRequest, UpdateFeaturesResponse>(UpdateFeaturesApi.HandleAsync),
        ApiEntry.Of<DescribeClusterRequest, DescribeClusterResponse>(DescribeClusterApi.HandleAsync),
        ApiEntry.Of<DescribeProducersRequest, DescribeProducersResponse>(DescribeProducersApi.HandleAsync),
        ApiEntry.Of<UnregisterBrokerRequest, UnregisterBrokerResponse>(UnregisterBrokerApi.HandleAsync),
        ApiEntry.Of<DescribeTransactionsRequest, DescribeTransactionsResponse>(DescribeTransactionsApi.HandleAsync),
        ApiEntry.Of<ListTransactionsRequest, ListTransactionsResponse>(ListTransactionsApi.HandleAsync),
        ApiEntry.Of<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(
            ConsumerGroupHeartbeatApi.HandleAsync),
        ApiEntry.Of<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>(
            ConsumerGroupDescribeApi.HandleAsync),
        ApiEntry.Of<GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse>(
            GetTelemetrySubscriptionsApi.HandleAsync),
        ApiEntry.Of<PushTelemetryRequest, PushTelemetryResponse>(PushTelemetryApi.HandleAsync),
        ApiEntry.Of<ListConfigResourcesRequest, ListConfigResourcesResponse>(ListConfigResourcesApi.HandleAsync),
        ApiEntry.Of<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(
            DescribeTopicPartitionsApi.HandleAsync),
        ApiEntry.Of<ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse>(ShareGroupHeartbeatApi.HandleAsync),
        ApiEntry.Of<ShareGroupDescribeRequest, ShareGroupDescribeResponse>(ShareGroupDescribeApi.HandleAsync),
        ApiEntry.Of<ShareFetchRequest, ShareFetchResponse>(ShareFetchApi.HandleAsync),
        ApiEntry.Of<ShareAcknowledgeRequest, ShareAcknowledgeResponse>(ShareAcknowledgeApi.HandleAsync),
        ApiEntry.Of<AddRaftVoterRequest, AddRaftVoterResponse>(AddRaftVoterApi.HandleAsync),
        ApiEntry.Of<RemoveRaftVoterRequest, RemoveRaftVoterResponse>(RemoveRaftVoterApi.HandleAsync),
        ApiEntry.Of<DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse>(
            DescribeShareGroupOffsetsApi.HandleAsync),
        ApiEntry.Of<AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse>(
            AlterShareGroupOffsetsApi.HandleAsync),
        ApiEntry.Of<DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse>(
            DeleteShareGroupOffsetsApi.HandleAsync),
    ];

    private static readonly ApiEntry?[] ByKey = Index();

    /// <summary>The API with this key; null when it is not spoken.</summary>
    public static ApiEntry? Find(ApiKey key) => (ushort)key < ByKey.Length ? ByKey[(ushort)key] : null;

    private static ApiEntry?[] Index()
    {
        var byKey = new ApiEntry?[All.Max(entry => (int)entry.Key) + 1];
        foreach (ApiEntry entry in All)
        {
            byKey[(int)entry.Key] = entry;
        }

        return byKey;
    }
}
