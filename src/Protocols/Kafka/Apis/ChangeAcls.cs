using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>CreateAcls and DeleteAcls: permissions are the operator's, in the node's configuration; clients change
/// none.
/// </summary>
internal static class ChangeAclsApi
{
    private const string Reason = "permissions are written in the node's configuration";

    public static ValueTask<CreateAclsResponse?> CreateAsync(ApiCall call, CreateAclsRequest request) =>
        new(new CreateAclsResponse
        {
            Results = Array.ConvertAll(request.Creations, _ => new CreateAclsResponse.AclCreationResult
            {
                ErrorCode = (short)ErrorCode.SecurityDisabled,
                ErrorMessage = Reason,
            }),
        });

    public static ValueTask<DeleteAclsResponse?> DeleteAsync(ApiCall call, DeleteAclsRequest request) =>
        new(new DeleteAclsResponse
        {
            FilterResults = Array.ConvertAll(request.Filters, _ => new DeleteAclsResponse.DeleteAclsFilterResult
            {
                ErrorCode = (short)ErrorCode.SecurityDisabled,
                ErrorMessage = Reason,
            }),
        });
}
