using System.Globalization;
using EdgeSplit.Onnx.Format;

namespace EdgeSplit.Onnx.Reading;

/// <summary>A tensor's reference to data in a file beside the model.</summary>
/// <param name="Location">The file, relative to the model's folder.</param>
/// <param name="Offset">The first byte.</param>
/// <param name="Length">The number of bytes; null for as many as the tensor has.</param>
internal readonly record struct ExternalData(string Location, long Offset, long? Length)
{
    private const string LocationKey = "location";
    private const string OffsetKey = "offset";
    private const string LengthKey = "length";

    /// <summary>Whether the data of a tensor lie outside of it.</summary>
    public static bool IsExternal(TensorProto tensor) => tensor.DataLocation == TensorProto.Types.DataLocation.External;

    /// <summary>Reads a tensor's reference.</summary>
    /// <returns>False where the location is missing or a number is none.</returns>
    public static bool TryRead(TensorProto tensor, out ExternalData data)
    {
        string? location = null;
        long offset = 0;
        long? length = null;
        bool valid = true;
        foreach (StringStringEntryProto entry in tensor.ExternalData)
        {
            switch (entry.Key)
            {
                case LocationKey:
                    location = entry.Value;
                    break;
                case OffsetKey:
                    valid &= TryParse(entry.Value, out offset);
                    break;
                case LengthKey:
                    valid &= TryParse(entry.Value, out long number);
                    length = number;
                    break;
            }
        }
        data = new ExternalData(location ?? "", offset, length);
        return valid && data.Location.Length > 0;
    }

    /// <summary>Makes a tensor refer to data in a file; what it held itself is dropped.</summary>
    public static void Write(TensorProto tensor, string location, long offset, long length)
    {
        tensor.ClearRawData();
        tensor.FloatData.Clear();
        tensor.DoubleData.Clear();
        tensor.ExternalData.Clear();
        tensor.DataLocation = TensorProto.Types.DataLocation.External;
        tensor.ExternalData.Add(new StringStringEntryProto { Key = LocationKey, Value = location });
        tensor.ExternalData.Add(new StringStringEntryProto { Key = OffsetKey, Value = offset.ToString(CultureInfo.InvariantCulture) });
        tensor.ExternalData.Add(new StringStringEntryProto { Key = LengthKey, Value = length.ToString(CultureInfo.InvariantCulture) });
    }

    private static bool TryParse(string text, out long value) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
