using System.Globalization;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Runtime.Files;

/// <summary>The header of a <c>.npy</c> file: a Python dictionary with three keys.</summary>
/// <param name="Type">NumPy's description of the element type.</param>
/// <param name="IsFortranOrder">Whether the first index runs fastest.</param>
/// <param name="Shape">The dimensions.</param>
internal sealed record NumpyHeader(string Type, bool IsFortranOrder, TensorShape Shape)
{
    private const int MaxRank = 64;

    /// <summary>Reads a header; anything but the three keys with values of their kinds is refused.</summary>
    /// <exception cref="FormatException">The text is no such dictionary.</exception>
    public static NumpyHeader Parse(string text)
    {
        var reader = new Reader(text);
        string? type = null;
        bool? isFortranOrder = null;
        TensorShape? shape = null;
        reader.Expect('{');
        while (!reader.TryTake('}'))
        {
            string key = reader.Text();
            reader.Expect(':');
            switch (key)
            {
                case "descr":
                    type = reader.Text();
                    break;
                case "fortran_order":
                    isFortranOrder = reader.Word() switch { "True" => true, "False" => false, _ => throw Damaged() };
                    break;
                case "shape":
                    shape = Sizes(reader);
                    break;
                default:
                    throw Damaged();
            }
            if (!reader.TryTake(','))
            {
                reader.Expect('}');
                break;
            }
        }
        return type is not null && isFortranOrder is { } order && shape is { } sizes ? new NumpyHeader(type, order, sizes) : throw Damaged();
    }

    private static TensorShape Sizes(Reader reader)
    {
        var sizes = new List<long>();
        reader.Expect('(');
        while (!reader.TryTake(')'))
        {
            if (sizes.Count == MaxRank || !long.TryParse(reader.Word().TrimEnd('L'), NumberStyles.None, CultureInfo.InvariantCulture, out long size))
                throw Damaged();
            sizes.Add(size);
            if (!reader.TryTake(','))
            {
                reader.Expect(')');
                break;
            }
        }
        try
        {
            return new TensorShape([.. sizes]);
        }
        catch (ArgumentException exception)
        {
            throw new FormatException(exception.Message, exception);
        }
    }

    private static FormatException Damaged() => new("its header is damaged or describes something else than a plain array");

    private sealed class Reader(string text)
    {
        private int _position;

        public void Expect(char expected)
        {
            if (!TryTake(expected))
                throw Damaged();
        }

        public bool TryTake(char expected)
        {
            SkipSpace();
            if (_position >= text.Length || text[_position] != expected)
                return false;
            _position++;
            return true;
        }

        public string Text()
        {
            SkipSpace();
            char quote = _position < text.Length ? text[_position] : ' ';
            int end = quote is '\'' or '"' ? text.IndexOf(quote, _position + 1) : -1;
            if (end < 0)
                throw Damaged();
            string result = text[(_position + 1)..end];
            _position = end + 1;
            return result;
        }

        public string Word()
        {
            SkipSpace();
            int start = _position;
            while (_position < text.Length && char.IsAsciiLetterOrDigit(text[_position]))
                _position++;
            return text[start.._position];
        }

        private void SkipSpace()
        {
            while (_position < text.Length && char.IsWhiteSpace(text[_position]))
                _position++;
        }
    }
}
